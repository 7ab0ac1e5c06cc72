"""What is made of a network's raw answer."""

import numpy as np
import pytest
import torch

from fusioninit.detection.looks import Look
from fusioninit.geometry import Grid

GRID = Grid.centred((40, 40, 40), 2.0)


def look(*balls, at_mm):
    """A look whose gland is balls of (centre, radius) mm and whose landmarks lie at `at_mm`."""
    points = GRID.points_mm()
    inside = np.zeros(GRID.shape, bool)
    for center, radius in balls:
        inside |= np.linalg.norm(points - center, axis=-1) < radius
    logit = torch.tensor(np.where(inside, 1.0, -1.0))
    at_mm = np.tile(at_mm, (5, 1)).astype(float)
    return Look(at_mm, np.zeros((5, 3, 3)), logit, GRID, np.zeros(5))


def test_of_several_large_parts_the_gland_is_the_one_at_the_landmarks():
    gland, bladder = ((0.0, 0.0, -12.0), 12.0), ((0.0, 0.0, 22.0), 16.0)
    found = look(gland, bladder, at_mm=(1.0, 2.0, -10.0))
    np.testing.assert_allclose(found.gland_center_mm(), gland[0], atol=0.5)


def test_a_crumb_at_the_landmarks_is_no_gland():
    gland, crumb = ((10.0, 0.0, 0.0), 15.0), ((-20.0, 0.0, 0.0), 5.0)
    found = look(gland, crumb, at_mm=(-20.0, 0.0, 0.0))
    np.testing.assert_allclose(found.gland_center_mm(), gland[0], atol=0.5)


def test_too_little_is_no_evidence_of_where_the_gland_is():
    assert look(((0.0, 0.0, 0.0), 6.0), at_mm=(0, 0, 0)).gland_center_mm() is None
    assert look(((0.0, 0.0, 0.0), 13.0), at_mm=(0, 0, 0)).gland_center_mm() == pytest.approx(0)
