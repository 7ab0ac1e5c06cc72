import torch
from cases import ellipsoid

from fusioninit.training.augment import Sample
from fusioninit.training.config import DataSection
from fusioninit.training.data import TRAINING_SEED, ReplayedBatches, StepSampler, collate

HALF_MM = (64.0, 64.0, 64.0)


class Counting:
    """Draws tiny cases and remembers their seeds."""

    def __init__(self):
        self.seeds = []

    def __call__(self, seed):
        self.seeds.append(seed)
        return ellipsoid(seed, size=8, spacing_mm=16.0)


def batches(draw, **section):
    section = DataSection(batch_size=4, fresh_per_batch=1, replay_window=10, **section)
    return ReplayedBatches(draw, section, half_extent_mm=HALF_MM, seed=5, inverting=False)


def test_the_same_step_gives_the_same_batch_also_after_an_interruption():
    straight = batches(Counting())
    for step in range(30):
        expected = straight[step]
    fresh_start = batches(Counting())[29]
    assert all(torch.equal(expected[key], fresh_start[key]) for key in expected)


def test_each_step_draws_its_new_cases_once_and_replays_recent_ones():
    draw = Counting()
    dataset = batches(draw)
    for step in range(40):
        dataset[step]
        numbers = dataset.numbers(step)
        assert numbers[0] == step
        assert all(max(0, step - 10) <= number <= step for number in numbers)
    assert draw.seeds == [TRAINING_SEED + number for number in range(40)]


def test_another_first_seed_gives_other_cases():
    draw = Counting()
    batches(draw, first_seed=1000)[0]
    assert draw.seeds == [TRAINING_SEED + 1000]


def test_processes_of_a_distributed_training_share_the_steps_without_overlap():
    samplers = [StepSampler(5, rank=rank, world_size=3) for rank in range(3)]
    seen = []
    for epoch in range(2):
        for sampler in samplers:
            sampler.set_epoch(epoch)
            seen += list(sampler)
    assert sorted(seen) == list(range(30))


def test_landmarks_outside_the_grid_are_neither_inside_nor_visible():
    case = ellipsoid(1, size=8, spacing_mm=16.0)
    marks = case.landmarks_mm.clone()
    marks[2] = torch.tensor([0.0, 70.0, 0.0])
    batch = collate([Sample(case.image, case.gland, marks, case.visible)], HALF_MM)
    assert batch["inside"].tolist() == [[number != 2 for number in range(len(marks))]]
    assert batch["visible"].tolist() == [[number != 2 for number in range(len(marks))]]
    assert batch["image"].shape == (1, 1, 8, 8, 8)
