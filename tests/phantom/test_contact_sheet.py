"""Contact sheets for the eye: synthetic cases, and real ones beside them where there are any.

They land in `test-artefacts/`. Rows are cases; columns are axial, sagittal and coronal.
"""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from fusioninit.detection.normalise import InputGrid, network_input, normalise_intensity
from fusioninit.geometry import Space
from fusioninit.imaging.reading import read_volume
from fusioninit.phantom import draw_sample

pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib comes with the train extra")

ARTEFACTS = Path(__file__).parents[2] / "test-artefacts"
SPACINGS = {Space.MR: 2.0, Space.US: 1.6}


def row_of(image, center):
    """(h, w) axial, sagittal and coronal slices side by side, radiological, 0 to 1."""
    shown = normalise_intensity(torch.as_tensor(np.asarray(image, dtype=np.float32))).clamp(0, 1)
    k, j, i = center
    planes = [shown[k], shown[:, :, i].flip(0), shown[:, j].flip(0)]
    return torch.cat(planes, 1).numpy()


def save(rows, name):
    ARTEFACTS.mkdir(exist_ok=True)
    sheet = np.concatenate(rows, 0)
    path = ARTEFACTS / name
    pyplot.imsave(path, np.kron(sheet, np.ones((3, 3))), cmap="gray", vmin=0, vmax=1)
    return sheet, path


@pytest.mark.parametrize("space", list(SPACINGS))
def test_a_contact_sheet_of_synthetic_cases_shows_a_gland_that_differs_from_case_to_case(space):
    rows = []
    for seed in range(8):
        sample = draw_sample(space, seed=seed, spacing_mm=SPACINGS[space])
        center = torch.nonzero(sample.gland > 0.5).float().mean(0).round().int().tolist()
        rows.append(row_of(sample.image, center))
    sheet, path = save(rows, f"phantom-{space.value}.png")
    assert path.stat().st_size > 10_000
    assert 0.02 < sheet.std() < 0.5
    assert np.mean([np.abs(a - b).mean() for a, b in pairwise(rows)]) > 0.03


def test_real_mr_is_shown_beside_synthetic_mr_of_like_contrast():
    folder = os.environ.get("FUSIONINIT_REALDATA")
    if not folder:
        pytest.skip("FUSIONINIT_REALDATA names no folder of real cases")
    rows, real, synthetic = [], [], []
    for number, case in enumerate(sorted((Path(folder) / "mr").iterdir())[:12]):
        volume = read_volume(case / "t2.nii.gz", space=Space.MR)
        image, _ = network_input(volume, InputGrid())
        sample = draw_sample(Space.MR, seed=500 + number)
        left, right = row_of(image, (32, 32, 32)), row_of(sample.image, (32, 32, 32))
        real.append(left[left > 0])
        synthetic.append(right[right > 0])
        rows.append(np.concatenate([left, np.ones((64, 4)), right], 1))
    save(rows, "phantom-beside-real-mr.png")
    spread = [np.mean([values.std() for values in group]) for group in (real, synthetic)]
    assert spread[1] == pytest.approx(spread[0], rel=0.4)
    middle = [np.mean([np.median(values) for values in group]) for group in (real, synthetic)]
    assert middle[1] == pytest.approx(middle[0], rel=0.6)
