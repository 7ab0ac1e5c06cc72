from dataclasses import replace

import numpy as np
import pytest

from fusioninit.errors import InputError
from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.imaging import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.state import (
    Approach,
    Case,
    CoreKind,
    NeedleRule,
    Target,
    plan_cores,
    systematic_template,
    target_miss_mm,
    targeted_cores,
)
from fusioninit.state.gland_frame import GlandFrame

HALF_MM = np.array([25.0, 17.0, 20.0])
"""Half axes of the test gland: left, posterior, superior."""
UPRIGHT_MM = {
    "apex": [0.0, 0, -20],
    "bladder_neck": [0.0, 0, 20],
    "posterior_median": [0.0, 17, 0],
    "left_lateral": [25.0, 0, 0],
    "right_lateral": [-25.0, 0, 0],
}
TURN = RigidTransform.from_parts(
    Space.US, Space.US, rotation=rotation_matrix([0.4, -0.3, 0.9]), translation_mm=[31, -12, 77]
)


def marks(*names: str, turn: RigidTransform | None = None) -> LandmarkSet:
    chosen = {name: UPRIGHT_MM[name] for name in names or UPRIGHT_MM}
    if turn is not None:
        chosen = {name: turn.apply(xyz) for name, xyz in chosen.items()}
    return LandmarkSet.from_positions(Space.US, chosen)


def ellipsoid_mask(turn: RigidTransform | None = None) -> Volume:
    centre = np.zeros(3) if turn is None else turn.apply(np.zeros(3))
    grid = Grid((81, 85, 89), np.full(3, 0.75), centre - np.array([33.0, 31.5, 30.0]))
    local = grid.points_mm() if turn is None else turn.inverse().apply(grid.points_mm())
    inside = ((local / HALF_MM) ** 2).sum(axis=-1) <= 1
    return Volume(inside.astype(np.uint8), grid, Space.US)


def by_name(cores):
    return {core.name: core for core in cores}


def test_the_template_has_one_lateral_and_one_medial_core_in_every_sextant():
    cores = systematic_template(marks())
    expected = {
        f"{side} {level} {place}"
        for side in ("Left", "Right")
        for level in ("base", "mid", "apex")
        for place in ("lateral", "medial")
    }
    assert {core.name for core in cores} == expected
    assert len(cores) == 12
    assert all(core.kind is CoreKind.SYSTEMATIC and core.target is None for core in cores)


@pytest.mark.parametrize("approach", list(Approach))
@pytest.mark.parametrize("gland", [None, ellipsoid_mask()], ids=["extents", "mask"])
def test_cores_lie_in_their_sextants_in_patient_directions(approach, gland):
    """Upright gland: LPS x grows to the patient's left, z upwards."""
    cores = by_name(systematic_template(marks(), gland=gland, rule=NeedleRule(approach)))
    for name, core in cores.items():
        side, level, place = name.split()
        middle = (core.sample_start_us_mm + core.tip_us_mm) / 2
        assert (middle[0] > 0) == (side == "Left")
        mirrored = cores[name.replace(side, "Right" if side == "Left" else "Left")]
        np.testing.assert_allclose(mirrored.tip_us_mm * [-1, 1, 1], core.tip_us_mm, atol=1.6)
        medial = cores[f"{side} {level} medial"]
        assert abs(middle[0]) > abs(medial.tip_us_mm[0]) or place == "medial"
    heights = [cores[f"Left {level} medial"].tip_us_mm[2] for level in ("apex", "mid", "base")]
    assert heights[0] < heights[1] < heights[2]


@pytest.mark.parametrize("gland", [None, ellipsoid_mask()], ids=["extents", "mask"])
def test_transrectal_cores_enter_through_the_rear_surface_and_stop_inside(gland):
    for core in systematic_template(marks(), gland=gland):
        surface = float(((core.entry_us_mm / HALF_MM) ** 2).sum())
        assert surface == pytest.approx(1, abs=0.12)
        assert core.entry_us_mm[1] > 0
        assert core.direction_us[1] < 0
        assert core.direction_us[2] == pytest.approx(np.sin(np.deg2rad(30)))
        assert ((core.tip_us_mm / HALF_MM) ** 2).sum() < 1.05
        assert 6 < core.depth_mm <= 17 + 1e-9


def test_transperineal_cores_start_at_the_plane_below_the_apex_and_run_along_the_gland():
    rule = NeedleRule(Approach.TRANSPERINEAL, perineum_mm=35)
    for core in systematic_template(marks(), rule=rule):
        assert core.entry_us_mm[2] == pytest.approx(-55)
        np.testing.assert_allclose(core.direction_us, [0, 0, 1], atol=1e-12)
        assert ((core.tip_us_mm / HALF_MM) ** 2).sum() < 1.05


@pytest.mark.parametrize("approach", list(Approach))
def test_the_plan_turns_with_the_gland(approach):
    """Up to the steps in which the surface is searched for."""
    rule = NeedleRule(approach)
    turned = systematic_template(marks(turn=TURN), rule=rule)
    for core, upright in zip(turned, systematic_template(marks(), rule=rule), strict=True):
        np.testing.assert_allclose(core.tip_us_mm, TURN.apply(upright.tip_us_mm), atol=1.0)
        np.testing.assert_allclose(core.entry_us_mm, TURN.apply(upright.entry_us_mm), atol=1.0)


def test_a_turned_mask_gives_nearly_the_plan_of_the_turned_extents():
    turned = systematic_template(marks(turn=TURN), gland=ellipsoid_mask(TURN))
    for core, free in zip(turned, systematic_template(marks(turn=TURN)), strict=True):
        assert np.linalg.norm(core.tip_us_mm - free.tip_us_mm) < 2.5


def test_a_wide_half_gland_moves_its_own_side_only():
    wide = marks().with_position("left_lateral", [35, 0, 0])
    before, after = (by_name(systematic_template(m)) for m in (marks(), wide))
    assert after["Left mid lateral"].tip_us_mm[0] > before["Left mid lateral"].tip_us_mm[0] + 5
    np.testing.assert_array_equal(
        after["Right mid lateral"].tip_us_mm, before["Right mid lateral"].tip_us_mm
    )


def test_without_laterals_and_mask_a_usual_width_is_taken():
    required = ("apex", "bladder_neck", "posterior_median")
    frame = GlandFrame.of(marks(*required))
    np.testing.assert_allclose(frame.half_mm[:2], [24, 24])
    assert GlandFrame.of(marks(*required, "left_lateral")).half_mm[1] == 25


def test_a_missing_landmark_is_named():
    with pytest.raises(InputError, match="a needle plan needs Bladder neck in the US; place it"):
        systematic_template(marks("apex", "posterior_median"))


def test_landmarks_on_one_spot_are_refused():
    close = marks().with_position("bladder_neck", [0, 0, -19])
    with pytest.raises(InputError, match="lie too close together for a needle plan"):
        systematic_template(close)


def test_a_mask_elsewhere_is_refused():
    mask = ellipsoid_mask()
    away = Volume(
        mask.voxels, Grid(mask.grid.shape, mask.grid.spacing_mm, [300, 300, 300]), Space.US
    )
    with pytest.raises(InputError, match="the US gland does not lie about the US landmarks"):
        systematic_template(marks(), gland=away)


def test_an_empty_mask_counts_as_none():
    empty = Volume(np.zeros((3, 4, 5)), Grid((3, 4, 5)), Space.US)
    first, second = systematic_template(marks(), gland=empty), systematic_template(marks())
    np.testing.assert_array_equal(first[0].tip_us_mm, second[0].tip_us_mm)


@pytest.mark.parametrize("approach", list(Approach))
@pytest.mark.parametrize("centre", [[10, 8, 3], [-12, -9, -4], [0, 14, 0]])
def test_targeted_cores_pass_the_target(approach, centre):
    us_from_mr = TURN.inverse()
    us_from_mr = RigidTransform(Space.US, Space.MR, us_from_mr.matrix)
    target = Target("lesion 1", us_from_mr.inverse().apply(centre), 6.0)
    cores = targeted_cores(
        target, 4, us_from_mr=us_from_mr, landmarks_us=marks(), rule=NeedleRule(approach)
    )
    assert [core.name for core in cores] == [f"lesion 1 {n}" for n in (1, 2, 3, 4)]
    assert all(core.kind is CoreKind.TARGETED and core.target == "lesion 1" for core in cores)
    distances = [core.distance_mm(centre) for core in cores]
    np.testing.assert_allclose(distances, [0, 3, 3, 3], atol=1e-9)
    tips = [core.tip_us_mm for core in cores[1:]]
    apart = [np.linalg.norm(tips[a] - tips[b]) for a, b in ((0, 1), (1, 2), (2, 0))]
    assert min(apart) > 3


def test_a_whole_plan_is_template_and_targets_and_says_what_moved_landmarks_do_to_it():
    mr = LandmarkSet.from_positions(Space.MR, UPRIGHT_MM)
    case = Case().with_landmarks(marks()).with_landmarks(mr)
    case = case.with_targets((Target("a", np.array([8.0, 6, 2])), Target("b", np.zeros(3))))
    plan = plan_cores(case, per_target=3)
    case = case.with_cores(plan)
    assert len(plan) == 12 + 6
    assert len(plan_cores(case, systematic=False, per_target=2)) == 4
    assert target_miss_mm(case, plan[0]) is None
    assert target_miss_mm(case, plan[12]) == pytest.approx(0, abs=1e-9)
    shifted = {name: np.add(xyz, [4, 0, 0]) for name, xyz in UPRIGHT_MM.items()}
    moved = case.with_landmarks(LandmarkSet.from_positions(Space.US, shifted))
    assert target_miss_mm(moved, plan[12]) == pytest.approx(4, abs=1e-6)
    assert target_miss_mm(replace(case, targets=()), plan[12]) is None


def test_targets_without_a_transform_are_refused():
    case = Case().with_landmarks(marks()).with_targets((Target("a", np.zeros(3)),))
    with pytest.raises(InputError, match="targets cannot be brought into the US yet"):
        plan_cores(case)
