"""A page for the record: what was registered, from which points, how well they fit, what is odd.

Many targets and the needle plan follow on pages of their own.

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
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
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
from fusioninit.exchange.report_fonts import marked_up
from fusioninit.exchange.sidecar import NOTICE
from fusioninit.geometry import Space
from fusioninit.landmarks import LABELS, READER_NAMES, LandmarkSet

# binary streams: text encoding them takes longer than all the rest of the page
rl_config.useA85 = 0

_MARGIN = 14 * mm
_PADDING = 6
"""What reportlab leaves free inside the margins, in points."""

_WIDTH = A4[0] - 2 * (_MARGIN + _PADDING)
_PICTURE_WIDTH = 158 * mm
_GRID: list[tuple[Any, ...]] = [
    ("FONTSIZE", (0, 0), (-1, -1), 7.5),
    ("LEADING", (0, 0), (-1, -1), 9),
    ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
    ("LINEBELOW", (0, 0), (-1, 0), 0.6, colors.black),
    ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
    ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
]
_MAX_WARNINGS = 8
_NAME_WIDTH = 40 * mm
_NAME_STYLE = ParagraphStyle("name", fontName="Helvetica", fontSize=7.5, leading=9)
_LONGEST_NAME = 120
_MOST_TARGETS_ON_FIRST_PAGE = 6


def write_report(path: Path, contents: Contents, overlay: Image.Image | None = None) -> Path:
    """Write the PDF report; its overlay picture is optional."""
    with placed(path) as beside:
        document = SimpleDocTemplate(
            str(beside),
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=10 * mm,
            bottomMargin=12 * mm,
            title="MR/US registration report",
            author=f"fusioninit {fusioninit.__version__}",
        )
        document.build(_story(contents, overlay), canvasmaker=_NumberedPages)
        _verify(path, beside, contents, document.page)
    return path


class _NumberedPages(Canvas):
    """A canvas whose pages say how many there are, which is known when all are drawn."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._drawn: list[dict[str, Any]] = []

    def showPage(self) -> None:
        """Keep the page for `save`."""
        self._drawn.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Number the pages and write them."""
        for number, page in enumerate(self._drawn):
            self.__dict__.update(page)
            self.setFont("Helvetica", 7)
            self.drawString(_MARGIN + _PADDING, 7 * mm, NOTICE)
            place = f"page {number + 1} of {len(self._drawn)}"
            self.drawRightString(A4[0] - _MARGIN - _PADDING, 7 * mm, place)
            Canvas.showPage(self)
        super().save()


def _story(contents: Contents, overlay: Image.Image | None) -> list[Flowable]:
    title, head, body, notice = _styles()
    story: list[Flowable] = [
        Paragraph("MR/US registration report", title),
        Paragraph(f"<b>{escape(NOTICE)}</b>", notice),
        *(Paragraph(line, body) for line in _facts(contents)),
        _decision(contents, body),
    ]
    if overlay is not None:
        story += [Spacer(1, 4), _picture(overlay), Paragraph(_CAPTION, body)]
    story += [
        _section(
            head,
            "Landmarks (LPS mm)",
            _landmark_table(contents),
            *([Paragraph(apart, body)] if (apart := _models_apart(contents)) else []),
        ),
        _transform_and_edges(contents, head),
    ]
    targets = _targets(contents, head)
    few = len(contents.targets) <= _MOST_TARGETS_ON_FIRST_PAGE
    story += targets if few else []
    story.append(_section(head, "What to look at", *_warnings(contents, body)))
    story += [] if few else [PageBreak(), *targets]
    if contents.cores:
        story += [PageBreak(), *_plan_story(contents)]
    return story


def _section(head: ParagraphStyle, title: str, *parts: Flowable) -> Flowable:
    return KeepTogether([Paragraph(title, head), *parts])


def _transform_and_edges(contents: Contents, head: ParagraphStyle) -> Flowable:
    """The matrix, and beside it how distances between landmarks differ."""
    matrix = [
        Paragraph("us_from_mr: MR points to US points (LPS mm)", head),
        _matrix_table(contents),
    ]
    if contents.fit is None or not contents.fit.edge_differences_mm:
        return KeepTogether(matrix)
    edges = [Paragraph("Distances between landmarks, MR minus US", head), _edges(contents)]
    flush = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]
    return Table([[matrix, edges]], colWidths=[0.55 * _WIDTH, 0.45 * _WIDTH], style=flush)


def _targets(contents: Contents, head: ParagraphStyle) -> list[Flowable]:
    if not contents.targets:
        return []
    return [Paragraph("Targets (LPS mm)", head), _target_table(contents)]


def _plan_story(contents: Contents) -> list[Flowable]:
    """The needle plan, on a page of its own."""
    title, head, body, _ = _styles()
    return [
        Paragraph("Planned biopsy cores", title),
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
    "Both: US blue, MR orange. Marks: US blue ring and outline, MR orange cross and outline, "
    "targets yellow with their number, all in the US frame; faint marks lie more than 4 mm off "
    "the plane. Radiological display: the patient's right is on the left."
)


def _facts(contents: Contents) -> list[str]:
    """Lines of marked-up text: when, who, which images, which estimator."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [f"Written {now} by fusioninit {fusioninit.__version__}."]
    if contents.patient:
        lines.append(f"<b>Patient: {marked_up(contents.patient)}</b>")
    images = [_image_facts(contents, space) for space in (Space.US, Space.MR)]
    lines.append(". ".join(images) + ".")
    estimator = "" if contents.fit is None else f"Estimator: {contents.fit.estimator}. "
    return [*lines, f"{estimator}Rotation: {contents.us_from_mr.angle_deg:.1f} degrees."]


def _image_facts(contents: Contents, space: Space) -> str:
    volume = contents.volume(space)
    if volume is None:
        return f"{space.upper()}: landmarks only"
    size = " x ".join(str(count) for count in volume.grid.shape[::-1])
    spacing = " x ".join(f"{step:.2f}" for step in volume.grid.spacing_mm)
    return f"{space.upper()}: {volume.source.format}, {size} voxels of {spacing} mm"


def _decision(contents: Contents, body: ParagraphStyle) -> Flowable:
    """What a person decided, in a frame."""
    decision = contents.decision
    colour, text = colors.HexColor("#8a6d00"), "<b>Not reviewed by a person.</b>"
    if decision is not None:
        verdict = "accepted" if decision.accepted else "rejected"
        who = marked_up(decision.initials) or "a person"
        text = f"<b>Alignment {verdict} by {who}.</b> {marked_up(decision.reason)}"
        colour = colors.HexColor("#1e6b34") if decision.accepted else colors.firebrick
    style = ParagraphStyle(
        "decision", parent=body, fontSize=9, leading=11, textColor=colour, borderColor=colour,
        borderWidth=0.8, borderPadding=3, spaceBefore=6, spaceAfter=4, leftIndent=4, rightIndent=4,
    )  # fmt: skip
    return Paragraph(text, style)


def _picture(overlay: Image.Image) -> Picture:
    stream = io.BytesIO()
    overlay.save(stream, "JPEG", quality=90)
    stream.seek(0)
    return Picture(
        stream, width=_PICTURE_WIDTH, height=_PICTURE_WIDTH * overlay.height / overlay.width
    )


def _landmark_table(contents: Contents) -> Table:
    sides = [f"{side} {word}" for side in ("US", "MR") for word in ("x", "y", "z", "sd", "source")]
    rows = [["Landmark", *sides, "residual", "expected error"]]
    residuals = {} if contents.fit is None else contents.fit.residuals_mm
    errors = contents.predicted_error_mm(contents.mr_landmarks.positions_mm())
    expected = {} if errors is None else dict(zip(contents.mr_landmarks, errors, strict=True))
    for name in READER_NAMES:
        if name not in contents.us_landmarks and name not in contents.mr_landmarks:
            continue
        residual = f"{residuals[name]:.1f} mm" if name in residuals else "-"
        us, mr = _cells(contents.us_landmarks, name), _cells(contents.mr_landmarks, name)
        error = f"{expected[name][0]:.1f} mm" if name in expected else "-"
        rows.append([LABELS[name], *us, *mr, residual, error])
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
    style = [*_GRID[:2], ("ALIGN", (0, 0), (-1, -1), "RIGHT")]
    padding = [("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0)]
    return Table(rows, style=[*style, *padding], hAlign="LEFT")


def _target_table(contents: Contents) -> Table:
    sides = [f"{side} {axis}" for side in ("US", "MR") for axis in "xyz"]
    rows: list[list[Any]] = [["", "Target", *sides, "radius", "expected error", "95 % below"]]
    errors = contents.predicted_error_mm([target.position_mr_mm for target in contents.targets])
    for number, target in enumerate(contents.targets):
        us = contents.us_from_mr.apply(target.position_mr_mm)
        places = [f"{value:.1f}" for value in (*us, *target.position_mr_mm)]
        error = ["-", "-"] if errors is None else [f"{value:.1f} mm" for value in errors[number]]
        name = _name(target.name)
        rows.append([str(number + 1), name, *places, f"{target.radius_mm:.1f} mm", *error])
    return _long_table(rows, names=(1,))


def _core_table(contents: Contents) -> Table:
    sides = [f"{end} {axis}" for end in ("entry", "tip") for axis in "xyz"]
    rows: list[list[Any]] = [["", "Core", *sides, "depth", "for", "passes it at"]]
    for number, core in enumerate(contents.cores):
        miss_mm = contents.target_distance_mm(core)
        rows.append(
            [
                str(number + 1),
                _name(core.name),
                *(f"{value:.1f}" for value in (*core.entry_us_mm, *core.tip_us_mm)),
                f"{core.depth_mm:.0f} mm",
                _name(core.target or core.kind.value),
                "-" if miss_mm is None else f"{miss_mm:.1f} mm",
            ]
        )
    return _long_table(rows, names=(1, 9))


def _name(text: str) -> Paragraph:
    """A name of any length and script, wrapped to its column."""
    return Paragraph(marked_up(text[:_LONGEST_NAME]), _NAME_STYLE)


def _long_table(rows: list[list[Any]], *, names: tuple[int, ...]) -> Table:
    """A table that may go on over several pages, each with its head; `names` columns wrap."""
    widths: list[float | None] = [None] * len(rows[0])
    widths[0] = 8 * mm
    for column in names:
        widths[column] = _NAME_WIDTH
    left = [("ALIGN", (column, 0), (column, -1), "LEFT") for column in names]
    middle = [("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    style = [*_GRID, *left, *middle]
    return Table(rows, style=style, hAlign="LEFT", colWidths=widths, repeatRows=1)


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
    aimed = [contents.us_from_mr.apply(t.position_mr_mm) for t in contents.targets]
    aimed += [core.tip_us_mm for core in contents.cores]
    wanted += [f"{value:.1f}" for point in aimed for value in point]
    missing = [number for number in wanted if number not in text]
    if len(read) != pages or missing:
        found = f"{len(read)} of {pages} pages" if len(read) != pages else f"without {missing[0]}"
        raise WrittenFileError(f"{path.name}: read back, the report comes {found}")
