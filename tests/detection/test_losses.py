import math

import pytest
import torch

from fusioninit.detection.losses import (
    euclidean_losses,
    expected_distance_losses,
    gland_losses,
    heatmap_matching_losses,
    masked_mean,
    spread_losses,
    variance_losses,
)

HALF_MM = torch.tensor([8.0, 6.0, 4.0])
"""Of a heatmap of (2, 3, 4) voxels of 4 mm: centres at x -6 -2 2 6, y -4 0 4, z -2 2."""


def two_voxels():
    """Half the mass at (-6, -4, -2) mm, half at (6, -4, -2) mm; mean (0, -4, -2)."""
    probability = torch.zeros(1, 1, 2, 3, 4)
    probability[0, 0, 0, 0, 0] = probability[0, 0, 0, 0, 3] = 0.5
    return probability


def test_the_euclidean_loss_is_a_distance_with_a_unit_gradient():
    position = torch.tensor([[[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]]], requires_grad=True)
    losses = euclidean_losses(position, torch.zeros(1, 2, 3))
    assert losses.shape == (1, 2)
    assert losses[0].tolist() == pytest.approx([5.0, 0.001], rel=1e-3)
    losses.sum().backward()
    assert position.grad[0, 0].tolist() == pytest.approx([0.6, 0.8, 0.0], abs=1e-5)
    assert position.grad[0, 1].tolist() == [0, 0, 0]


def test_the_spread_is_the_mean_squared_distance_from_the_mean():
    assert spread_losses(two_voxels(), HALF_MM).item() == pytest.approx(36.0)


def test_nibalis_variance_loss_compares_each_axis_with_the_wanted_variance():
    # Var x = 36 + 16/12 (the voxel itself), y and z only 16/12
    voxel = 16 / 12
    expected = (36 + voxel - 9) ** 2 + 2 * (voxel - 9) ** 2
    found = variance_losses(two_voxels(), HALF_MM, sigma_mm=3.0)
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_the_expected_distance_is_hand_computed_and_bounds_the_coordinate_error():
    target = torch.tensor([[[-6.0, -4.0, 3.0]]])
    found = expected_distance_losses(two_voxels(), target, HALF_MM).item()
    assert found == pytest.approx(0.5 * 5 + 0.5 * 13, rel=1e-5)
    assert found >= math.dist((0, -4, -2), (-6, -4, 3))


def test_the_gradient_of_the_expected_distance_is_the_distance():
    probability = two_voxels().requires_grad_()
    target = torch.tensor([[[-6.0, -4.0, 3.0]]])
    expected_distance_losses(probability, target, HALF_MM).backward()
    assert probability.grad[0, 0, 0, 0, 0].item() == pytest.approx(5.0, rel=1e-5)
    assert probability.grad[0, 0, 0, 0, 3].item() == pytest.approx(13.0, rel=1e-5)
    assert probability.grad[0, 0, 1, 0, 0].item() == pytest.approx(1.0, rel=1e-3)


def test_heatmap_matching_vanishes_for_the_blob_itself():
    target = torch.tensor([[[-6.0, -4.0, -2.0]]])
    zero = torch.zeros(1, 1, 2, 3, 4)
    at_target = heatmap_matching_losses(zero, target, HALF_MM, sigma_mm=0.5)
    assert at_target.item() == pytest.approx(1.0, abs=1e-5)
    blob = zero.clone()
    blob[0, 0, 0, 0, 0] = 1
    assert heatmap_matching_losses(blob, target, HALF_MM, sigma_mm=0.5).item() < 1e-5


def test_the_gland_loss_of_an_uninformed_answer_is_hand_computed():
    truth = torch.zeros(2, 3, 4, 5)
    truth[:, 0] = 1
    found = gland_losses(torch.zeros(2, 3, 4, 5), truth)
    # p = 1/2 everywhere: entropy log 2, soft Dice (2 * 10 + 1) / (30 + 20 + 1)
    assert found.tolist() == pytest.approx([math.log(2) + 1 - 21 / 51] * 2)


def test_a_masked_landmark_counts_neither_in_the_mean_nor_in_the_gradient():
    losses = torch.tensor([[1.0, 5.0, math.nan], [3.0, 7.0, 9.0]], requires_grad=True)
    weight = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 2.0]])
    mean = masked_mean(losses, weight)
    assert mean.item() == pytest.approx((1 + 3 + 18) / 4)
    mean.backward()
    assert losses.grad.tolist() == [[0.25, 0, 0], [0.25, 0, 0.5]]
    assert masked_mean(losses, torch.zeros(2, 3)).item() == 0
