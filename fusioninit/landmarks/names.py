"""The landmarks' names and order. Networks, files and tables all use this order."""

from __future__ import annotations

LandmarkName = str

REQUIRED_NAMES: tuple[LandmarkName, ...] = ("apex", "bladder_neck", "posterior_median")
"""The paper's landmarks 1, 2 and 3 (Fang, Delingette, Ayache, ASMUS 2023, Fig. 1a)."""

READER_NAMES: tuple[LandmarkName, ...] = (*REQUIRED_NAMES, "left_lateral", "right_lateral")
"""What a reader knows and could place: reports, pictures and data sets hold no others."""

AUXILIARY_NAMES: tuple[LandmarkName, ...] = (
    "left_lateral",
    "right_lateral",
    "anterior_median",
    "left_apical",
    "right_apical",
    "left_basal",
    "right_basal",
)
"""Points of the gland's surface that a network finds and no person is asked for: outermost left and
right at half the height from apex to neck, in front in the midline there, and outermost at a
quarter and at three quarters. The three required points lie in one plane and leave roll and yaw to
chance; these do not."""

ALL_NAMES = REQUIRED_NAMES + AUXILIARY_NAMES

MIRRORED: tuple[int, ...] = tuple(
    ALL_NAMES.index(
        name.replace("left_", "other_").replace("right_", "left_").replace("other_", "right_")
    )
    for name in ALL_NAMES
)
"""Of which landmark each one takes the place in a left-right mirrored image, as indices."""

LABELS: dict[LandmarkName, str] = {
    "apex": "Apex",
    "bladder_neck": "Bladder neck",
    "posterior_median": "Posterior median",
    "left_lateral": "Left lateral",
    "right_lateral": "Right lateral",
    "anterior_median": "Anterior median",
    "left_apical": "Left apical",
    "right_apical": "Right apical",
    "left_basal": "Left basal",
    "right_basal": "Right basal",
}
