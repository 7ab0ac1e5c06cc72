import pytest
import torch

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.fields import Displacement, noise_on_grid
from fusioninit.phantom.placement import Placement, Press, Stretch
from fusioninit.phantom.solids import capsule, ellipsoid, turn


def test_a_placement_without_deformation_is_the_rigid_pose():
    placement = Placement(turn(90.0).T, torch.tensor([1.0, 2.0, 3.0]))
    # patient z (superior) points to anterior (-y) in a world pitched by 90 degrees
    world = placement.to_world(torch.tensor([[0.0], [0.0], [10.0]]))
    torch.testing.assert_close(world[:, 0], torch.tensor([1.0, -8.0, 3.0]), atol=1e-5, rtol=0)


def test_to_world_inverts_to_anatomy_with_every_deformation():
    dice = Dice(3)
    placement = Placement(
        turn(30.0, 10.0, -8.0).T,
        torch.tensor([4.0, -7.0, 2.0]),
        (
            Press((0.0, 20.0, 0.0), 4.5, 10.0, 12.0),
            Stretch(0.05 * dice.normals(3, 3), (0.0, 20.0, 0.0)),
            Displacement.draw(dice, sd_mm=1.5, spacing_mm=16.0),
        ),
    )
    anatomy = 25.0 * dice.normals(3, 41)
    torch.testing.assert_close(
        placement.to_anatomy(placement.to_world(anatomy)), anatomy, atol=2e-3, rtol=0
    )


def test_a_pressed_back_is_seen_further_in_front():
    press = Press((0.0, 20.0, 0.0), 4.0, 10.0, 14.0)
    placement = Placement(torch.eye(3), torch.zeros(3), (press,))
    back = placement.to_world(torch.tensor([[0.0, 40.0], [20.0, 20.0], [0.0, 0.0]]))
    assert 2.5 < 20.0 - float(back[1, 0]) < 4.0
    assert float(back[1, 1]) == pytest.approx(20.0, abs=0.05)


def test_a_displacement_has_the_asked_strength_and_varies_smoothly():
    field = Displacement.draw(Dice(7), sd_mm=2.0, spacing_mm=20.0)
    points = 40.0 * torch.rand(3, 4000, generator=torch.Generator().manual_seed(1)) - 20.0
    moved = field.at(points)
    assert 1.0 < float(moved.std()) < 3.2
    step = field.at(points + torch.tensor([[0.1], [0.0], [0.0]])) - moved
    assert float(step.abs().max()) < 0.1


def test_noise_has_unit_variance_at_any_wavelength():
    for cells in ((1.0, 1.0, 1.0), (2.0, 3.0, 4.0), (6.0, 6.0, 6.0)):
        noise = noise_on_grid(Dice(5), (30, 36, 42), cells, channels=2)
        assert noise.shape == (2, 30, 36, 42)
        assert float(noise.std()) == pytest.approx(1.0, abs=0.3)


def test_distances_of_simple_solids():
    points = torch.tensor([[0.0, 5.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 12.0]])
    torch.testing.assert_close(
        capsule(points, (0, 0, -4), (0, 0, 4), 3.0), torch.tensor([-3.0, 2.0, 5.0])
    )
    torch.testing.assert_close(
        ellipsoid(points, (0, 0, 0), (5, 5, 5)), torch.tensor([-5.0, 0.0, 7.0])
    )


def test_integers_and_choices_stay_within_their_range():
    dice = Dice(11)
    assert {dice.integer(2, 4) for _ in range(200)} == {2, 3, 4}
    assert {dice.choice({"a": 1.0, "b": 1.0, "never": 0.0}) for _ in range(100)} == {"a", "b"}
