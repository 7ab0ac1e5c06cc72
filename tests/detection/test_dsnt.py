import pytest
import torch

from fusioninit.detection.dsnt import cell_centres, covariance, expectation, flat_softmax, mode


def test_cell_centres_are_half_a_cell_from_the_faces():
    assert cell_centres(5).tolist() == pytest.approx([-0.8, -0.4, 0.0, 0.4, 0.8])


def test_softmax_sums_to_one_over_the_volume_and_stays_float32():
    logits = torch.randn(2, 3, 5, 7, 11).bfloat16()
    probability = flat_softmax(logits)
    assert probability.dtype == torch.float32
    assert probability.shape == (2, 3, 5, 7, 11)
    assert torch.allclose(probability.sum((2, 3, 4)), torch.ones(2, 3))


def test_one_voxel_gives_its_centre_in_x_y_z_order():
    probability = torch.zeros(1, 2, 5, 7, 11)
    probability[0, 0, 4, 0, 3] = 1
    probability[0, 1, 0, 6, 10] = 1
    expected = torch.tensor([[(2 * 3 + 1) / 11 - 1, 1 / 7 - 1, 0.8], [1 - 1 / 11, 1 - 1 / 7, -0.8]])
    assert torch.allclose(expectation(probability)[0], expected)
    assert torch.allclose(mode(probability)[0], expected)


def test_expectation_equals_the_naive_sum():
    probability = flat_softmax(torch.randn(2, 3, 4, 5, 6))
    naive = torch.zeros(2, 3, 3)
    for k in range(4):
        for j in range(5):
            for i in range(6):
                centre = torch.tensor(
                    [(2 * i + 1) / 6 - 1, (2 * j + 1) / 5 - 1, (2 * k + 1) / 4 - 1]
                )
                naive += probability[:, :, k, j, i, None] * centre
    assert torch.allclose(expectation(probability), naive, atol=1e-6)


def test_the_gradient_of_a_coordinate_is_hand_computed():
    # two voxels along x at -0.5 and 0.5 with p = softmax(z): dP/dz0 = p0 p1 (v0 - v1)
    logits = torch.tensor([0.3, -0.4]).reshape(1, 1, 1, 1, 2).requires_grad_()
    expectation(flat_softmax(logits))[0, 0, 0].backward()
    first = torch.tensor([0.3, -0.4]).softmax(0)
    slope = float(first[0] * first[1])
    assert logits.grad.flatten().tolist() == pytest.approx([-slope, slope], rel=1e-5)


def test_covariance_of_two_voxels_is_hand_computed():
    probability = torch.zeros(1, 1, 4, 5, 8)
    probability[0, 0, 0, 0, 0] = 0.5
    probability[0, 0, 3, 4, 7] = 0.5
    found = covariance(probability)[0, 0]
    half = torch.tensor([7 / 8, 4 / 5, 3 / 4])
    voxel = torch.tensor([2 / 8, 2 / 5, 2 / 4]) ** 2 / 12
    assert torch.allclose(found, torch.outer(half, half) + torch.diag(voxel), atol=1e-6)


def test_covariance_is_symmetric_and_positive_definite():
    found = covariance(flat_softmax(3 * torch.randn(2, 3, 4, 5, 6)))
    assert torch.allclose(found, found.transpose(-1, -2))
    assert (torch.linalg.eigvalsh(found) > 0).all()
