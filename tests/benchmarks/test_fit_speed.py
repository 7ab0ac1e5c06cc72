"""How long one fit takes: run with `--benchmark-enable`. A drag asks for one per mouse move.

Asked of a landmark-only fit: under 1 ms. With glands the trees and matrices are built once.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "registration"))
from shapes import gland_mask, pair, transform

from fusioninit.geometry import Grid
from fusioninit.landmarks import ALL_NAMES, ErrorCorrelation, LandmarkSet, Source
from fusioninit.registration import ESTIMATORS, GlandShape, LandmarkFit, fit_landmarks
from fusioninit.registration.arun import arun_rigid
from fusioninit.registration.landmark_pairs import pair_landmarks
from fusioninit.registration.many import ManyPairs, fit_many


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_fit_of_three_landmarks(benchmark, estimator):
    us, mr = pair(transform(), noise_mm=2)
    fit = benchmark(fit_landmarks, fixed=us, moving=mr, estimator=estimator)
    assert isinstance(fit, LandmarkFit)


@pytest.mark.parametrize("estimator", ["svd", "auto"])
def test_fit_of_a_networks_ten_landmarks(benchmark, estimator):
    us, mr = (
        LandmarkSet(
            marks.space,
            tuple(replace(mark, source=Source.PREDICTED) for mark in marks.landmarks),
            ErrorCorrelation.uniform(ALL_NAMES, 0.2),
        )
        for marks in pair(transform(), names=ALL_NAMES, noise_mm=2)
    )
    fit = benchmark(fit_landmarks, fixed=us, moving=mr, estimator=estimator)
    assert isinstance(fit, LandmarkFit)


def test_fit_of_three_landmarks_with_both_glands(benchmark):
    us, mr = pair(transform(), noise_mm=2)
    mr_grid = Grid.centred((48, 60, 66), 1.0)
    us_grid = Grid.centred((66, 64, 72), 0.9, transform().apply([0, 0, 0]))
    glands = {
        "fixed_gland": GlandShape.from_mask(gland_mask(us_grid, transform()), us_grid),
        "moving_gland": GlandShape.from_mask(gland_mask(mr_grid), mr_grid),
    }
    fit = benchmark(fit_landmarks, fixed=us, moving=mr, estimator="auto", **glands)
    assert isinstance(fit, LandmarkFit)


def test_svd_of_ten_thousand_cases_at_once(benchmark):
    rng = np.random.default_rng(0)
    fixed, moving = rng.normal(size=(2, 10_000, 3, 3)) * 20
    rotation, _ = benchmark(arun_rigid, fixed, moving)
    assert rotation.shape == (10_000, 3, 3)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_thousand_cases_of_ten_landmarks_at_once(benchmark, estimator):
    pairs = ManyPairs.of(
        [
            pair_landmarks(*pair(transform(), names=ALL_NAMES, noise_mm=2, seed=seed))
            for seed in range(1000)
        ]
    )
    poses = benchmark(fit_many, pairs, estimator=estimator)
    assert poses.solved.all()
