import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from fusioninit.detection.normalise import InputGrid
from fusioninit.detection.predict import (
    DetectionCancelledError,
    LandmarkPredictor,
    calibrated,
    confidence,
)
from fusioninit.detection.unet import LandmarkNetwork, UNetConfig
from fusioninit.detection.weights import Calibration, ModelCard, load_model, save_weights
from fusioninit.errors import InputError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import ALL_NAMES, ErrorCorrelation, Source
from fusioninit.phantom import draw_sample

BENCHMARK_SEED = 30_000

SMALL = UNetConfig(channels=(16, 16, 16))


@pytest.fixture
def card():
    return ModelCard("small", Space.MR, "0" * 64, SMALL, InputGrid((32, 32, 32), 3.0))


@pytest.fixture
def predictor(card):
    torch.manual_seed(0)
    return LandmarkPredictor(LandmarkNetwork(SMALL), card, device="cpu")


@pytest.fixture
def other_card():
    """Of a wider network on a finer grid."""
    wide = UNetConfig(channels=(16, 32, 32))
    return ModelCard("other", Space.MR, "1" * 64, wide, InputGrid((24, 24, 24), 2.5))


@pytest.fixture
def two(predictor, card, other_card):
    """The predictor with a second network that differs in width and grid."""
    torch.manual_seed(1)
    second = LandmarkPredictor(LandmarkNetwork(other_card.network), other_card, device="cpu")
    torch.manual_seed(0)
    return LandmarkPredictor(LandmarkNetwork(SMALL), card, device="cpu", second=second)


@pytest.fixture
def volume():
    voxels = np.random.default_rng(0).uniform(50, 200, (30, 60, 50)).astype(np.float32)
    return Volume(voxels, Grid.centred((30, 60, 50), [1.5, 1.5, 3.0], [10, 20, 30]), Space.MR)


def phantom_volume(space, spacing_mm):
    """The first benchmark case in whose image all landmarks can be seen."""
    drawn = (
        draw_sample(space, seed=seed, shape=(64, 64, 64), spacing_mm=spacing_mm)
        for seed in range(BENCHMARK_SEED, BENCHMARK_SEED + 20)
    )
    sample = next(sample for sample in drawn if bool(np.all(np.asarray(sample.visible))))
    grid = Grid.centred((64, 64, 64), spacing_mm, [30, -40, 50])
    voxels = np.asarray(sample.image, dtype=np.float32)
    return Volume(voxels, grid, space), np.asarray(sample.landmarks_mm) + grid.center_mm


@pytest.mark.parametrize(("space", "spacing_mm"), [(Space.MR, 2.0), (Space.US, 1.6)])
def test_the_shipped_weights_find_landmarks_and_gland_of_a_synthetic_case(space, spacing_mm):
    volume, truth_mm = phantom_volume(space, spacing_mm)
    detection = LandmarkPredictor.from_bundled(space).predict(volume)
    assert tuple(detection.landmarks) == ALL_NAMES
    positions_mm = detection.landmarks.positions_mm()
    assert volume.grid.contains(positions_mm).all()
    # far below the 16 to 20 mm of a constant answer, far above the mean error
    assert np.linalg.norm(positions_mm - truth_mm, axis=1).mean() < 12
    assert detection.gland.voxels.any()
    assert detection.gland.space == space
    for mark in detection.landmarks.values():
        assert mark.source is Source.PREDICTED
        assert 0 <= mark.confidence <= 1
        assert (np.linalg.eigvalsh(mark.covariance_mm2) > 0).all()
    assert detection.model["sha256"] == detection.sha256 != ""
    assert detection.seconds["total"] > 0
    json.dumps(detection.quality)


def test_the_first_network_alone_decides_and_the_second_is_compared(predictor, two, volume):
    alone, both = predictor.predict(volume), two.predict(volume)
    assert alone.second is None
    assert np.array_equal(both.landmarks.positions_mm(), alone.landmarks.positions_mm())
    assert tuple(both.second) == ALL_NAMES
    apart = both.landmarks.positions_mm() - both.second.positions_mm()
    wanted = dict(zip(ALL_NAMES, np.linalg.norm(apart, axis=1), strict=True))
    assert both.disagreement.distances_mm == pytest.approx(wanted)
    assert both.second["apex"].provenance == "other 111111111111"
    assert "second network" in both.seconds


def test_the_quality_says_how_far_two_networks_are_apart(two, volume):
    detection = two.predict(volume)
    quality, apart = detection.quality, detection.disagreement
    assert quality["models_apart_mm"] == apart.rounded_mm()
    assert quality["second_model"] == {"name": "other", "sha256": "1" * 64}
    where = "warnings" if apart.doubtful else "notes"
    assert apart.sentence() in quality[where]


def test_that_only_one_network_looked_is_said_and_is_no_fault(predictor, volume):
    quality = predictor.predict(volume).quality
    assert quality["models_apart_mm"] is quality["second_model"] is None
    assert quality["notes"] == [
        "only one network looked, so no second answer tells which landmark to doubt"
    ]
    assert not any("network" in sentence for sentence in quality["warnings"])


@pytest.mark.parametrize("space", [Space.MR, Space.US])
def test_without_a_second_file_the_bundled_network_looks_alone(space, monkeypatch):
    monkeypatch.setattr("fusioninit.detection.predict.has_model", lambda name: False)
    assert LandmarkPredictor.from_bundled(space).second is None


@pytest.mark.parametrize("space", [Space.MR, Space.US])
def test_the_second_network_that_ships_differs_from_the_first(space):
    predictor = LandmarkPredictor.from_bundled(space)
    assert predictor.second.card.space is space
    assert predictor.second.card.sha256 != predictor.card.sha256


@pytest.mark.parametrize("count", [3, 5])
def test_a_network_of_fewer_landmarks_answers_with_those(card, volume, count):
    few = replace(SMALL, landmarks=count)
    calibration = Calibration((1.0,) * count, (4.0,) * count)
    torch.manual_seed(0)
    predictor = LandmarkPredictor(
        LandmarkNetwork(few), replace(card, network=few, calibration=calibration), device="cpu"
    )
    found = predictor.predict(volume).landmarks
    assert tuple(found) == ALL_NAMES[:count]
    assert found.correlation is None


def test_the_cards_correlation_goes_with_the_landmarks(card, volume):
    stated = ErrorCorrelation.uniform(ALL_NAMES, 0.25)
    calibration = replace(card.calibration, correlation=tuple(stated.rows()))
    torch.manual_seed(0)
    predictor = LandmarkPredictor(
        LandmarkNetwork(SMALL), replace(card, calibration=calibration), device="cpu"
    )
    assert predictor.predict(volume).landmarks.correlation == stated


def test_a_card_whose_correlation_is_of_another_network_is_refused(card):
    rows = tuple(ErrorCorrelation.uniform(ALL_NAMES[:5], 0.25).rows())
    wrong = replace(card, calibration=replace(card.calibration, correlation=rows))
    with pytest.raises(InputError, match=r"x.json: not a model card \(.*10 landmarks has 29 rows"):
        ModelCard.from_json(wrong.to_json(), "x.json")


def test_moving_the_volume_moves_the_answer(predictor, volume):
    moved = Volume(
        volume.voxels,
        Grid(
            volume.grid.shape, volume.grid.spacing_mm, volume.grid.origin_mm + np.array([5, -6, 7])
        ),
        Space.MR,
    )
    before = predictor.predict(volume).landmarks.positions_mm()
    after = predictor.predict(moved).landmarks.positions_mm()
    assert after - before == pytest.approx(np.tile([5, -6, 7], (10, 1)), abs=1e-3)


def test_the_mirrored_volume_gives_the_mirrored_answer_with_sides_exchanged(card, volume):
    # one look: where a random network looks again depends on rounding
    torch.manual_seed(0)
    predictor = LandmarkPredictor(LandmarkNetwork(SMALL), card, device="cpu", repeated=False)
    mirrored = Volume(
        np.ascontiguousarray(volume.voxels[:, :, ::-1]),
        Grid.centred(volume.grid.shape, volume.grid.spacing_mm, [-10, 20, 30]),
        Space.MR,
    )
    before = predictor.predict(volume).landmarks.positions_mm()
    after = predictor.predict(mirrored).landmarks.positions_mm()
    swapped = before[[0, 1, 2, 4, 3, 5, 7, 6, 9, 8]] * [-1, 1, 1]
    assert after == pytest.approx(swapped, abs=1.0)


def test_cancelling_stops_between_stages(predictor, volume):
    texts = []
    with pytest.raises(DetectionCancelledError, match="cancelled"):
        predictor.predict(
            volume,
            progress=lambda fraction, text: texts.append(text),
            cancelled=lambda: len(texts) >= 2,
        )
    assert len(texts) == 2


def test_progress_ends_at_one(predictor, volume):
    fractions = []
    predictor(volume, progress=lambda f, _: fractions.append(f), cancelled=lambda: False)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"space": Space.US}, "this network reads MR, the volume is US; choose the other modality"),
        ({"value": 4.0}, "every voxel has the value 4; open another volume"),
        ({"value": np.nan}, "values that are not numbers; convert it again"),
        ({"spacing": [1.5, 1.5, 0.2]}, "75 x 90 x 6 mm, too thin to hold a prostate"),
    ],
)
def test_volumes_that_cannot_be_looked_at_are_refused(predictor, volume, change, sentence):
    voxels = np.full_like(volume.voxels, change["value"]) if "value" in change else volume.voxels
    grid = Grid(volume.grid.shape, change.get("spacing", volume.grid.spacing_mm))
    with pytest.raises(InputError, match=sentence):
        predictor.predict(Volume(voxels, grid, change.get("space", Space.MR)))


def test_a_thin_and_mostly_black_volume_is_answered_with_warnings(predictor, volume):
    voxels = np.array(volume.voxels[:10])
    voxels[:, :, 5:] = 0
    grid = Grid.centred(voxels.shape, volume.grid.spacing_mm)
    quality = predictor.predict(Volume(voxels, grid, Space.MR)).quality
    assert not quality["ok"]
    assert any("only 30 mm thick" in sentence for sentence in quality["warnings"])
    assert any("90% of the volume is black" in sentence for sentence in quality["warnings"])


def test_calibration_scales_the_spread_and_adds_the_floor():
    spread = np.stack([np.diag([1.0, 2.0, 3.0]), np.eye(3)])
    found = calibrated(spread, Calibration(scale=(2.0, 1.0), floor_mm2=(0.5, 4.0)))
    assert found[0] == pytest.approx(np.diag([2.5, 4.5, 6.5]))
    assert found[1] == pytest.approx(np.eye(3) * 5)


def test_confidence_is_the_probability_of_an_error_below_five_millimetres():
    rng = np.random.default_rng(0)
    for sd_mm in (1.5, 3.0, 6.0):
        errors_mm = np.linalg.norm(rng.normal(0, sd_mm, (200_000, 3)), axis=1)
        assert confidence(np.eye(3) * sd_mm**2) == pytest.approx((errors_mm < 5).mean(), abs=0.005)


def test_weights_return_from_disk_with_their_card(tmp_path, card):
    network = LandmarkNetwork(SMALL).half().float()
    path = tmp_path / "w.safetensors"
    sha256 = save_weights(network, path)
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    saved = ModelCard("w", Space.MR, sha256, SMALL, card.input_grid)
    path.with_suffix(".json").write_text(saved.to_json())
    again, read = load_model(path)
    assert read == saved
    image = torch.rand(1, 1, 16, 16, 16)
    assert torch.allclose(again(image).heatmap_logits, network.eval()(image).heatmap_logits)


def test_weights_that_differ_from_their_card_are_refused(tmp_path, card):
    path = tmp_path / "w.safetensors"
    save_weights(LandmarkNetwork(SMALL), path)
    path.with_suffix(".json").write_text(card.to_json())
    with pytest.raises(InputError, match="differs from the card's 000000000000"):
        load_model(path)


def test_a_card_that_is_none_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(LandmarkNetwork(SMALL), path)
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(InputError, match="not a model card"):
        load_model(path)
