import json

import numpy as np
import pytest
import torch
from dataset_files import GRID, centre_of, gland_mask, gland_points, tiny_config

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import ALL_NAMES
from fusioninit.training.augment import Motion, Sample, mirror, move
from fusioninit.training.data import collate
from fusioninit.training.datasets.labels import (
    expert_labels,
    mask_labels,
    require_plausible,
    weights,
)
from fusioninit.training.datasets.prepare import MARGIN_VOXELS, UNKNOWN_MM, PreparedCase
from fusioninit.training.module import DetectorModule, landmark_losses


def prepared(sd_mm=(0.0, 3.0, 4.0, 1.0, np.inf), *, gland_known=True, size=16):
    full = size + 2 * MARGIN_VOXELS
    random = np.random.default_rng(3)
    return PreparedCase(
        image=random.uniform(0.1, 1, (full, full, full)).astype(np.float16),
        gland=(random.uniform(0, 255, (full, full, full))).astype(np.uint8) * gland_known,
        position_mm=np.where(np.isfinite(sd_mm), 1.0, np.nan)[:, None]
        * random.normal(0, 4, (5, 3)),
        sd_mm=np.array(sd_mm),
        visible=np.ones(5, dtype=bool),
        gland_known=gland_known,
    )


def sample(case, shift=(0, 0, 0)):
    return case.window(np.array(shift), spacing_mm=2.0, reference_sd_mm=3.0)


HALF_MM = (16.0, 16.0, 16.0)


def test_the_weight_is_the_share_of_the_reference_variance():
    # nine of: 9, 9 plus 9, 9 plus 16, 9 plus 1, and of infinity
    found = weights(np.array([0.0, 3.0, 4.0, 1.0, np.inf]), 3.0)
    assert found == pytest.approx([1.0, 0.5, 0.36, 0.9, 0.0])


def test_points_from_the_masks_rule_weigh_by_the_rules_measured_error():
    center = centre_of(0)
    gland = Volume(gland_mask(GRID, center).astype(np.uint8), GRID, Space.MR)
    labels = mask_labels(gland, GRID)
    # apex 2.5 mm, neck 4.5 mm, the others 3 mm: 9/15.25, 9/29.25, 9/18
    assert weights(labels.sd_mm, 3.0) == pytest.approx([0.5902, 0.3077, *[0.5] * 8], abs=1e-4)
    truth = np.array([gland_points(center)[name] for name in ALL_NAMES])
    far = np.linalg.norm(labels.position_mm - truth, axis=1)
    # the rule's neck lies lower than the pole, and so do the points at three quarters
    assert np.delete(far, ALL_NAMES.index("bladder_neck")).max() < 6.0


def test_experts_points_go_before_the_masks_rule_and_the_rule_fills_the_gaps(tmp_path):
    center = centre_of(0)
    gland = Volume(gland_mask(GRID, center).astype(np.uint8), GRID, Space.MR)
    (tmp_path / "points.json").write_text(json.dumps({"landmarks": {"bladder_neck": [1, 2, 60]}}))
    both = expert_labels(tmp_path / "points.json", Space.MR, 1.5).over(mask_labels(gland, GRID))
    assert both.sd_mm.tolist() == [2.5, 1.5, *[3.0] * 8]
    assert both.position_mm[1].tolist() == [1, 2, 60]
    assert both.known.all()


def test_a_gland_cut_by_the_images_end_gives_no_point_there_and_surer_ones_nowhere():
    tall = Grid.centred((40, 30, 34), 2.0)
    gland = Volume(gland_mask(tall, np.zeros(3)).astype(np.uint8), tall, Space.US)
    assert np.isfinite(mask_labels(gland, tall).sd_mm).all()
    low = Grid((30, 30, 34), tall.spacing_mm, tall.to_world([0, 0, 13]))
    cut = Volume(gland.voxels[13:], Grid((27, 30, 34), low.spacing_mm, low.origin_mm), Space.US)
    labels = mask_labels(cut, cut.grid)
    unknown = {n for n, known in zip(ALL_NAMES, labels.known, strict=True) if not known}
    assert unknown == {"apex", "left_apical", "right_apical"}
    assert labels.sd_mm[labels.known].tolist() == [9.0, *[6.0] * 6]


def test_a_point_far_outside_the_image_is_refused_with_the_remedy(tmp_path):
    beyond = GRID.corners_mm().max(axis=0) + np.array([0, 0, 40])
    (tmp_path / "p.json").write_text(json.dumps({"landmarks": {"apex": beyond.tolist()}}))
    with pytest.raises(ReadError) as refusal:
        require_plausible(expert_labels(tmp_path / "p.json", Space.MR), None, GRID)
    assert str(refusal.value) == (
        "the apex lies 40 mm outside the image; check that positions are LPS mm of this image"
    )


def test_a_point_far_from_the_glands_mask_is_refused_with_the_remedy(tmp_path):
    center = GRID.center_mm
    gland = Volume(gland_mask(GRID, center).astype(np.uint8), GRID, Space.MR)
    rule = mask_labels(gland, GRID)
    at = rule.position_mm[2] - [0, 40, 0]
    (tmp_path / "p.json").write_text(json.dumps({"landmarks": {"posterior_median": at.tolist()}}))
    with pytest.raises(ReadError) as refusal:
        require_plausible(expert_labels(tmp_path / "p.json", Space.MR), rule, GRID)
    assert str(refusal.value) == (
        "the posterior median lies 40 mm from where the gland's mask has it; check that both are "
        "of this image and positions are LPS mm"
    )


def test_a_batch_of_synthetic_cases_holds_what_it_always_held():
    plain = Sample(torch.rand(6, 7, 8), torch.rand(6, 7, 8), torch.rand(5, 3), torch.ones(5) > 0)
    assert set(collate([plain, plain], HALF_MM)) == {
        "image",
        "gland",
        "landmarks_mm",
        "visible",
        "inside",
    }


def test_a_batch_carries_the_weights_and_leaves_unknown_landmarks_outside():
    plain = Sample(
        torch.rand(16, 16, 16), torch.rand(16, 16, 16), torch.rand(5, 3), torch.ones(5) > 0
    )
    batch = collate([sample(prepared()), plain], HALF_MM)
    assert batch["landmark_weight"].tolist()[0] == pytest.approx([1.0, 0.5, 0.36, 0.9, 0.0])
    assert batch["landmark_weight"].tolist()[1] == [1.0] * 5
    assert batch["inside"][0].tolist() == [True, True, True, True, False]
    assert batch["gland_weight"].tolist() == [1.0, 1.0]
    assert torch.isfinite(batch["landmarks_mm"]).all()


def test_weights_go_with_their_landmarks_through_mirror_and_motion():
    mirrored = mirror(sample(prepared(sd_mm=(0.0, 3.0, 4.0, 1.0, 6.0))))
    assert mirrored.weight.tolist() == pytest.approx([1.0, 0.5, 0.36, 0.2, 0.9])
    unknown = sample(prepared(gland_known=False))
    motion = Motion.draw(torch.Generator().manual_seed(1))
    moved = move(mirror(unknown), motion, HALF_MM)
    # the left one was unknown: after mirroring it is called the right one's partner
    assert moved.weight[3] == 0
    assert not moved.gland_known
    assert moved.landmarks_mm[3].norm() > UNKNOWN_MM / 2


@pytest.fixture
def module(tmp_path):
    torch.manual_seed(0)
    config = tiny_config(tmp_path, [], landmarks=5)
    return DetectorModule(config.model_copy(update={"grid": (16, 16, 16)}))


def step(module, batch):
    module.log = lambda *_, **__: None
    return module.training_step(batch, 0)


def half_seen(batch):
    return batch | {"visible": batch["visible"] & torch.tensor([True, False, True, True, True])}


def test_the_loss_is_the_weighted_sum_over_the_landmarks_in_the_grid(module):
    batch = half_seen(collate([sample(prepared())], HALF_MM))
    del batch["gland_weight"]
    config = module.config
    with torch.no_grad():
        output = module.network(batch["image"].to(memory_format=torch.channels_last_3d))
        losses = landmark_losses(
            output,
            batch["landmarks_mm"],
            module.half_extent_mm,
            method=config.method,
            section=config.loss,
            step=0,
        )[0].tolist()
        gland = step(module, batch) - step(module, batch | {"gland": batch["gland"]})
        assert gland == 0
        module.config = config.model_copy(
            update={"loss": config.loss.model_copy(update={"gland_weight": 0.0})}
        )
        found = float(step(module, batch))
    # three seen landmarks and one unseen at 0.3; the fifth is unknown
    expected = 1.0 * losses[0] + 0.3 * 0.5 * losses[1] + 0.36 * losses[2] + 0.9 * losses[3]
    assert found == pytest.approx(expected / 3.3, rel=1e-5)


def test_weights_of_one_leave_the_loss_as_it_is_to_the_last_bit(module):
    plain = collate([sample(prepared()), sample(prepared(sd_mm=(0.0,) * 5))], HALF_MM)
    ones = plain | {"landmark_weight": torch.ones(2, 5)}
    without = {key: value for key, value in plain.items() if not key.endswith("_weight")}
    with torch.no_grad():
        assert step(module, ones) == step(module, without)


def test_a_case_without_outline_teaches_nothing_about_the_gland(module):
    outlined, bare = sample(prepared()), sample(prepared(gland_known=False))
    alone, both = collate([outlined], HALF_MM), collate([outlined, bare], HALF_MM)
    for batch in (alone, both):
        batch["landmark_weight"] = torch.zeros_like(batch["landmark_weight"])
    with torch.no_grad():
        assert float(step(module, both)) == pytest.approx(float(step(module, alone)), rel=1e-4)
