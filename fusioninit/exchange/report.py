"""A page for the record: what was registered, from which points, how well they fit, what is odd.

With a needle plan a second page follows.

reportlab draws it; it names the patient only where the identity is kept.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image
from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    KeepInFrame,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)
from reportlab.platypus import Image as Picture

import fusioninit
from fusioninit.exchange.contents import Contents
from fusioninit.exchange.frames import WrittenFileError
from fusioninit.exchange.pdf_text import read_pages
from fusioninit.exchange.placing import placed
from fusioninit.exchange.sidecar import NOTICE
from fusioninit.geometry import Space
from fusioninit.landmarks import LABELS, LandmarkSet

# binary streams: text encoding them takes longer than all the rest of the page
rl_config.useA85 = 0

_MARGIN = 14 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_GRID: list[tuple[Any, ...]] = [
    ("FONTSIZE", (0, 0), (-1, -1), 7.5),
    ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
    ("LINEBELOW", (0, 0), (-1, 0), 0.6, colors.black),
    ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
]
_MAX_WARNINGS = 8
_MAX_TARGETS = 12
_MAX_CORES = 24


def write_report(path: Path, contents: Contents, overlay: Image.Image | None = None) -> Path:
    """Write the PDF report; its overlay picture is optional."""
    with placed(path) as beside:
        document = SimpleDocTemplate(
            str(beside),
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=12 * mm,
            bottomMargin=12 * mm,
            title="MR/US registration report",
            author=f"fusioninit {fusioninit.__version__}",
        )
        pages = [_story(contents, overlay), *([_plan_story(contents)] if contents.cores else [])]
        document.build(
            _one_page_each(pages), onFirstPage=_footer(pages), onLaterPages=_footer(pages)
        )
        _verify(path, beside, contents, len(pages))
    return path


def _one_page_each(pages: list[list[Flowable]]) -> list[Flowable]:
    """What does not fit a page is shrunk, never pushed onto a page nobody turns to."""
    height = A4[1] - 26 * mm
    story: list[Flowable] = []
    for number, page in enumerate(pages):
        story += [PageBreak()] if number else []
        story.append(KeepInFrame(_WIDTH, height, page, mode="shrink"))
    return story


def _footer(pages: list[list[Flowable]]) -> Any:
    def draw(canvas: Any, _: Any) -> None:
        canvas.setFont("Helvetica", 7)
        text = f"page {canvas.getPageNumber()} of {len(pages)}"
        canvas.drawRightString(A4[0] - _MARGIN, 7 * mm, text)

    return draw


def _story(contents: Contents, overlay: Image.Image | None) -> list[Flowable]:
    title, head, body, notice = _styles()
    story: list[Flowable] = [
        Paragraph("MR/US registration report", title),
        Paragraph(f"<b>{escape(NOTICE)}</b>", notice),
        Paragraph(_facts(contents), body),
    ]
    if overlay is not None:
        story += [Spacer(1, 4), _picture(overlay), Paragraph(_CAPTION, body)]
    story += [
        Paragraph("Landmarks (LPS mm)", head),
        _landmark_table(contents),
        *([Paragraph(apart, body)] if (apart := _models_apart(contents)) else []),
        Paragraph("Transform us_from_mr: takes MR points to US points (LPS mm)", head),
        _matrix_table(contents),
    ]
    if contents.targets:
        story += [Paragraph("Targets", head), _target_table(contents)]
    if contents.fit is not None and contents.fit.edge_differences_mm:
        story += [Paragraph("Distances between landmarks, MR minus US", head), _edges(contents)]
    story += [Paragraph("What to look at", head), *_warnings(contents, body)]
    return story


def _plan_story(contents: Contents) -> list[Flowable]:
    """The second page: the needle plan."""
    title, head, body, notice = _styles()
    return [
        Paragraph("Planned biopsy cores", title),
        Paragraph(f"<b>{escape(NOTICE)}</b>", notice),
        Paragraph(_PLAN_CAPTION, body),
        Paragraph("Cores, in US (LPS mm)", head),
        _core_table(contents),
    ]


def _styles() -> tuple[ParagraphStyle, ParagraphStyle, ParagraphStyle, ParagraphStyle]:
    """Title, heading, body and notice."""
    sheet = getSampleStyleSheet()
    title = ParagraphStyle("title", parent=sheet["Title"], fontSize=15, leading=18, spaceAfter=3)
    body = ParagraphStyle("body", parent=sheet["Normal"], fontSize=8, leading=10)
    head = ParagraphStyle("head", parent=sheet["Heading3"], fontSize=10, spaceBefore=5)
    return title, head, body, ParagraphStyle("notice", parent=body, textColor=colors.firebrick)


_PLAN_CAPTION = (
    "Entry is where the planned path begins: the gland's rear surface for a transrectal needle, "
    "the plane on the perineum for a transperineal one. The tip is its deepest point. “Passes it "
    "at” is the distance of the tissue taken from the target's centre by this transform; the "
    "target's own expected error comes on top."
)

_CAPTION = (
    "US blue ring and outline, MR orange cross and outline, targets yellow, all in the US frame; "
    "faint marks lie more than 4 mm off the plane. "
    "Radiological display: the patient's right is on the left."
)


def _facts(contents: Contents) -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    facts = [f"Written {now} by fusioninit {fusioninit.__version__}"]
    if contents.patient:
        facts.append(f"Patient: {contents.patient}")
    for space in (Space.US, Space.MR):
        volume = contents.volume(space)
        if volume is None:
            facts.append(f"{space.upper()}: landmarks only")
            continue
        size = " x ".join(str(count) for count in volume.grid.shape[::-1])
        spacing = " x ".join(f"{step:.2f}" for step in volume.grid.spacing_mm)
        facts.append(f"{space.upper()}: {volume.source.format}, {size} voxels of {spacing} mm")
    if contents.fit is not None:
        facts.append(f"estimator: {contents.fit.estimator}")
    facts.append(f"rotation {contents.us_from_mr.angle_deg:.1f} degrees")
    return escape(". ".join(facts) + ". " + _decision(contents))


def _decision(contents: Contents) -> str:
    decision = contents.decision
    if decision is None:
        return "Not reviewed by a person."
    verdict = "accepted" if decision.accepted else "rejected"
    return f"Alignment {verdict} by {decision.initials or 'a person'}. {decision.reason}"


def _picture(overlay: Image.Image) -> Picture:
    stream = io.BytesIO()
    overlay.save(stream, "JPEG", quality=90)
    stream.seek(0)
    return Picture(stream, width=_WIDTH, height=_WIDTH * overlay.height / overlay.width)


def _landmark_table(contents: Contents) -> Table:
    sides = [f"{side} {word}" for side in ("US", "MR") for word in ("x", "y", "z", "sd", "source")]
    rows = [["Landmark", *sides, "residual", "expected error"]]
    residuals = {} if contents.fit is None else contents.fit.residuals_mm
    errors = contents.predicted_error_mm(contents.mr_landmarks.positions_mm())
    expected = {} if errors is None else dict(zip(contents.mr_landmarks, errors, strict=True))
    for name, label in LABELS.items():
        if name not in contents.us_landmarks and name not in contents.mr_landmarks:
            continue
        residual = f"{residuals[name]:.1f} mm" if name in residuals else "-"
        us, mr = _cells(contents.us_landmarks, name), _cells(contents.mr_landmarks, name)
        error = f"{expected[name][0]:.1f} mm" if name in expected else "-"
        rows.append([label, *us, *mr, residual, error])
    return Table(rows, style=_GRID, hAlign="LEFT")


def _cells(landmarks: LandmarkSet, name: str) -> list[str]:
    mark = landmarks.get(name)
    if mark is None:
        return ["-"] * 5
    return [*(f"{value:.1f}" for value in mark.position_mm), f"{mark.sd_mm:.1f}", mark.source.value]


def _models_apart(contents: Contents) -> str:
    """How far two networks put each landmark apart that no person has placed; empty without."""
    lines = []
    for space in (Space.US, Space.MR):
        apart = contents.disagreement(space)
        if apart is not None and apart.distances_mm:
            each = (f"{LABELS[name].lower()} {mm:.1f}" for name, mm in apart.distances_mm.items())
            lines.append(f"{space.upper()} {', '.join(each)}")
    return f"Two networks apart, mm: {'; '.join(lines)}." if lines else ""


def _matrix_table(contents: Contents) -> Table:
    rows = [[f"{value:.6f}" for value in row] for row in contents.us_from_mr.matrix]
    style = [("FONTSIZE", (0, 0), (-1, -1), 7.5), ("ALIGN", (0, 0), (-1, -1), "RIGHT")]
    padding = [("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0)]
    return Table(rows, style=[*style, *padding], hAlign="LEFT")


def _target_table(contents: Contents) -> Table:
    sides = [f"{side} {axis}" for side in ("US", "MR") for axis in "xyz"]
    rows = [["Target", *sides, "radius", "expected error", "95 % below"]]
    errors = contents.predicted_error_mm([target.position_mr_mm for target in contents.targets])
    for number, target in enumerate(contents.targets[:_MAX_TARGETS]):
        us = contents.us_from_mr.apply(target.position_mr_mm)
        places = [f"{value:.1f}" for value in (*us, *target.position_mr_mm)]
        error = ["-", "-"] if errors is None else [f"{value:.1f} mm" for value in errors[number]]
        rows.append([target.name[:30], *places, f"{target.radius_mm:.1f} mm", *error])
    return Table(rows, style=_GRID, hAlign="LEFT")


def _core_table(contents: Contents) -> Table:
    sides = [f"{end} {axis}" for end in ("entry", "tip") for axis in "xyz"]
    rows = [["Core", *sides, "depth", "for", "passes it at"]]
    for core in contents.cores[:_MAX_CORES]:
        miss_mm = contents.target_distance_mm(core)
        rows.append(
            [
                core.name[:30],
                *(f"{value:.1f}" for value in (*core.entry_us_mm, *core.tip_us_mm)),
                f"{core.depth_mm:.0f} mm",
                (core.target or core.kind.value)[:30],
                "-" if miss_mm is None else f"{miss_mm:.1f} mm",
            ]
        )
    if len(contents.cores) > _MAX_CORES:
        rows.append([f"{len(contents.cores) - _MAX_CORES} more in cores_us.csv"])
    return Table(rows, style=_GRID, hAlign="LEFT")


def _edges(contents: Contents) -> Table:
    assert contents.fit is not None
    rows = [["From", "to", "difference"]]
    for (first, second), difference in contents.fit.edge_differences_mm.items():
        rows.append([LABELS[first], LABELS[second], f"{difference:+.1f} mm"])
    return Table(rows, style=_GRID, hAlign="LEFT")


def _warnings(contents: Contents, style: ParagraphStyle) -> list[Flowable]:
    sentences = list(contents.all_warnings())
    shown = sentences[:_MAX_WARNINGS]
    if len(sentences) > len(shown):
        shown.append(f"{len(sentences) - len(shown)} more in registration.json")
    shown.append(
        "Residuals say how well these points fit, not how far a target is off; the expected error "
        "is a model's estimate."
    )
    return [Paragraph(f"- {escape(sentence)}", style) for sentence in shown]


def _verify(path: Path, beside: Path, contents: Contents, pages: int) -> None:
    """Read the PDF back: all its pages, and on them the transform and every point to aim at."""
    read = read_pages(beside)
    text = " ".join(read)
    wanted = [f"{value:.6f}" for value in contents.us_from_mr.matrix.ravel()]
    aimed = [contents.us_from_mr.apply(t.position_mr_mm) for t in contents.targets[:_MAX_TARGETS]]
    aimed += [core.tip_us_mm for core in contents.cores[:_MAX_CORES]]
    wanted += [f"{value:.1f}" for point in aimed for value in point]
    missing = [number for number in wanted if number not in text]
    if len(read) != pages or missing:
        found = f"{len(read)} of {pages} pages" if len(read) != pages else f"without {missing[0]}"
        raise WrittenFileError(f"{path.name}: read back, the report comes {found}")
