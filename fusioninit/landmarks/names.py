"""The landmarks' names and order. Networks, files and tables all use this order."""

from __future__ import annotations

LandmarkName = str

REQUIRED_NAMES: tuple[LandmarkName, ...] = ("apex", "bladder_neck", "posterior_median")
"""The paper's landmarks 1, 2 and 3 (Fang, Delingette, Ayache, ASMUS 2023, Fig. 1a)."""

AUXILIARY_NAMES: tuple[LandmarkName, ...] = ("left_lateral", "right_lateral")
"""Most lateral points of the gland at mid height: they fix roll; never asked of a person."""

ALL_NAMES = REQUIRED_NAMES + AUXILIARY_NAMES

LABELS: dict[LandmarkName, str] = {
    "apex": "Apex",
    "bladder_neck": "Bladder neck",
    "posterior_median": "Posterior median",
    "left_lateral": "Left lateral",
    "right_lateral": "Right lateral",
}
