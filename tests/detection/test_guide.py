from dataclasses import replace

import numpy as np
import pytest
import torch

from fusioninit.detection.guide import guide, guide_channels
from fusioninit.detection.normalise import InputGrid
from fusioninit.detection.predict import LandmarkPredictor
from fusioninit.detection.unet import LandmarkNetwork, UNetConfig
from fusioninit.detection.weights import Calibration, ModelCard
from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import ALL_NAMES, LandmarkSet
from fusioninit.phantom import draw_pair
from fusioninit.state import Counterpart

GRID = Grid.centred((32, 32, 32), 2.0, [5.0, -3.0, 8.0])
HALF_MM = torch.tensor([32.0, 32.0, 32.0])
GUIDED = UNetConfig(channels=(16, 16, 16), guided=True)


def ball(grid, center_mm, radius_mm):
    return np.linalg.norm(grid.points_mm() - center_mm, axis=-1) < radius_mm


@pytest.fixture
def counterpart():
    """A ball of 12 mm at (20, 30, 40) in MR, with its five landmarks."""
    grid = Grid.centred((40, 40, 40), 1.5, [20.0, 30.0, 40.0])
    mask = ball(grid, [20.0, 30.0, 40.0], 12.0).astype(np.uint8)
    at = dict(
        zip(
            ALL_NAMES, [[0, 0, -12], [0, -4, 12], [0, 12, 0], [12, 0, 0], [-12, 0, 0]], strict=False
        )
    )
    marks = {name: np.add([20.0, 30.0, 40.0], offset) for name, offset in at.items()}
    return Counterpart(LandmarkSet.from_positions(Space.MR, marks), Volume(mask, grid, Space.MR))


def test_a_blob_lies_at_each_landmark_on_the_coarse_lattice():
    point = torch.tensor([[10.0, -6.0, 2.0]])
    blobs = guide_channels(torch.zeros(32, 32, 32), point, HALF_MM)[1]
    k, j, i = np.unravel_index(int(blobs.argmax()), blobs.shape)
    # voxels of 4 mm, their centres at -30, -26, ... 30
    assert [-30 + 4 * i, -30 + 4 * j, -30 + 4 * k] == [10, -6, 2]
    assert float(blobs.max()) == pytest.approx(1.0)


def test_the_counterpart_lies_where_the_transform_puts_it(counterpart):
    rotation = rotation_matrix(np.radians([20.0, -10.0, 30.0]))
    target = np.array([9.0, -7.0, 12.0])
    here = RigidTransform.from_parts(
        Space.US,
        Space.MR,
        rotation=rotation,
        translation_mm=target - rotation @ [20.0, 30.0, 40.0],
    )
    gland, blobs = guide(counterpart, here, GRID)
    coarse = Grid.centred((16, 16, 16), 4.0, GRID.center_mm)
    expected = ball(coarse, target, 12.0)
    found = gland.numpy() > 0.5
    assert 2 * (found & expected).sum() / (found.sum() + expected.sum()) > 0.95
    apex = here.apply(counterpart.landmarks["apex"].position_mm)
    index = tuple(np.round(coarse.to_index(apex)).astype(int)[::-1])
    assert blobs[index] > 0.8


def test_a_guide_that_was_not_learnt_changes_no_answer():
    torch.manual_seed(0)
    network, image = LandmarkNetwork(GUIDED).eval(), torch.rand(1, 1, 32, 32, 32)
    plain = network(image).heatmap_logits
    assert torch.equal(network(image, torch.rand(1, 2, 16, 16, 16)).heatmap_logits, plain)
    torch.nn.init.normal_(network.body.guide.weight)
    assert torch.equal(network(image, torch.zeros(1, 2, 16, 16, 16)).heatmap_logits, plain)
    assert not torch.equal(network(image, torch.rand(1, 2, 16, 16, 16)).heatmap_logits, plain)


def test_only_a_guided_network_looks_at_the_counterpart(counterpart):
    torch.manual_seed(0)
    voxels = np.random.default_rng(0).uniform(1, 2, (48, 48, 48)).astype(np.float32)
    volume = Volume(voxels, Grid.centred((48, 48, 48), 1.5), Space.US)
    card = ModelCard("small", Space.US, "0" * 64, GUIDED, InputGrid((32, 32, 32), 2.0))
    card = replace(card, guided_calibration=Calibration((2.0,) * 5, (7.0,) * 5))
    network = LandmarkNetwork(GUIDED)
    torch.nn.init.normal_(network.body.guide.weight)
    guided = LandmarkPredictor(network, card, device="cpu")
    assert guided.predict(volume).alone is None
    answer = guided.predict(volume, counterpart=counterpart)
    assert answer.alone == guided.predict(volume).landmarks
    assert answer.landmarks != answer.alone
    assert answer.landmarks["apex"].provenance.endswith("guided by the other image")

    plain_config = replace(GUIDED, guided=False)
    plain_card = replace(card, network=plain_config)
    plain = LandmarkPredictor(LandmarkNetwork(plain_config), plain_card, device="cpu")
    assert plain.predict(volume, counterpart=counterpart).alone is None


def test_the_bundled_us_network_learnt_to_use_what_mr_shows():
    """A gland known to be far too large draws the answer's outline outwards."""
    pair = draw_pair(seed=64_000, coarsening=2)
    predictor = LandmarkPredictor.from_bundled(Space.US, device="cpu", second=None)
    volumes = []
    for scale in (0.7, 1.4):
        center = pair.mr_gland.grid.center_mm
        grid = replace(
            pair.mr_gland.grid,
            spacing_mm=pair.mr_gland.grid.spacing_mm * scale,
            origin_mm=center + scale * (pair.mr_gland.grid.origin_mm - center),
        )
        scaled = {
            name: center + scale * (mark.position_mm - center)
            for name, mark in pair.mr_landmarks.items()
        }
        counterpart = Counterpart(
            LandmarkSet.from_positions(Space.MR, scaled),
            Volume(pair.mr_gland.voxels, grid, Space.MR),
        )
        gland = predictor.predict(pair.us, counterpart=counterpart).gland
        volumes.append(np.count_nonzero(gland.voxels))
    assert volumes[1] > 1.05 * volumes[0]
