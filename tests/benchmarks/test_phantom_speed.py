"""How long a training case takes on one thread. Run: pytest tests/benchmarks --benchmark-enable."""

from itertools import count

import pytest
import torch

from fusioninit.geometry import Space
from fusioninit.phantom import draw_sample


@pytest.mark.parametrize(("space", "spacing_mm"), [(Space.MR, 2.0), (Space.US, 1.6)])
def test_drawing_a_training_case(benchmark, space, spacing_mm):
    threads, seeds = torch.get_num_threads(), count()
    torch.set_num_threads(1)
    try:
        sample = benchmark.pedantic(
            lambda: draw_sample(space, seed=next(seeds), spacing_mm=spacing_mm),
            rounds=20,
            warmup_rounds=2,
        )
    finally:
        torch.set_num_threads(threads)
    assert sample.image.shape == (64, 64, 64)
