"""One page for the record: what was registered, from which points, how well they fit, what is odd.

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
from reportlab.platypus import Flowable, KeepInFrame, Paragraph, SimpleDocTemplate, Spacer, Table
from reportlab.platypus import Image as Picture

import fusioninit
from fusioninit.exchange.contents import Contents
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
        height = A4[1] - 26 * mm
        # one page: what does not fit is shrunk, never pushed onto a page nobody turns to
        document.build([KeepInFrame(_WIDTH, height, _story(contents, overlay), mode="shrink")])
    return path


def _story(contents: Contents, overlay: Image.Image | None) -> list[Flowable]:
    styles = getSampleStyleSheet()
    body = ParagraphStyle("body", parent=styles["Normal"], fontSize=8, leading=10)
    head = ParagraphStyle("head", parent=styles["Heading3"], fontSize=10, spaceBefore=5)
    notice = ParagraphStyle("notice", parent=body, textColor=colors.firebrick)
    story: list[Flowable] = [
        Paragraph("MR/US registration report", styles["Title"]),
        Paragraph(f"<b>{escape(NOTICE)}</b>", notice),
        Paragraph(_facts(contents), body),
    ]
    if overlay is not None:
        story += [Spacer(1, 4), _picture(overlay), Paragraph(_CAPTION, body)]
    story += [
        Paragraph("Landmarks (LPS mm)", head),
        _landmark_table(contents),
        Paragraph("Transform us_from_mr: takes MR points to US points (LPS mm)", head),
        _matrix_table(contents),
    ]
    if contents.targets:
        story += [Paragraph("Targets", head), _target_table(contents)]
    if contents.cores:
        story += [Paragraph("Planned cores, in US", head), _core_table(contents)]
    if contents.fit is not None and contents.fit.edge_differences_mm:
        story += [Paragraph("Distances between landmarks, MR minus US", head), _edges(contents)]
    story += [Paragraph("What to look at", head), *_warnings(contents, body)]
    return story


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
                "" if miss_mm is None else f"{miss_mm:.1f} mm",
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
