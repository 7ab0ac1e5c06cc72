import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from dataset_files import tiny_config, write_case, write_manifest, write_pair_folder

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.training.config import read_config
from fusioninit.training.data import TRAINING_SEED, VALIDATION_SEED, ReplayedBatches, phantom_source
from fusioninit.training.datasets.folders import list_mu_regpro, list_phantom
from fusioninit.training.datasets.listing import CaseFiles
from fusioninit.training.datasets.source import MixedSource, case_source, validation_count
from fusioninit.training.datasets.splitting import with_splits


def mixed(fraction, *, cases=5, validation=0, seed=0):
    return MixedSource(
        training=tuple(range(cases)),
        validation=tuple(range(validation)),
        phantom=lambda seed: ("phantom", seed),
        phantom_fraction=fraction,
        spacing_mm=2.0,
        reference_sd_mm=3.0,
        seed=seed,
    )


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 0.9])
def test_the_synthetic_share_is_kept_from_the_first_steps_on(fraction):
    source = mixed(fraction)
    for count in (20, 100, 1000):
        real = [source.real_number(n) for n in range(count)]
        numbers = [n for n in real if n is not None]
        assert abs(len(numbers) - count * (1 - fraction)) <= 1
        assert numbers == list(range(len(numbers)))


def test_every_round_shows_each_case_once_in_an_order_of_its_own():
    source = mixed(0.5)
    rounds = [[source.position(5 * turn + place) for place in range(5)] for turn in range(20)]
    assert all(sorted(one) == [0, 1, 2, 3, 4] for one in rounds)
    assert len({tuple(one) for one in rounds}) > 10


def test_cases_beyond_the_real_ones_are_synthetic():
    source = mixed(0.5, validation=3)
    for seed in (VALIDATION_SEED + 3, VALIDATION_SEED - 1, 30_000):
        assert source(seed) == ("phantom", seed)
    drawn = [source.real_number(n) for n in range(10)]
    synthetic = TRAINING_SEED + drawn.index(None)
    assert source(synthetic) == ("phantom", synthetic)


@pytest.fixture
def manifest(tmp_path):
    lines = [write_case(tmp_path, f"case{n}", n, mask=n != 2) for n in range(4)]
    return [{"kind": "manifest", "path": write_manifest(tmp_path, lines)}]


def test_a_batch_is_a_function_of_the_step_whichever_way_cases_are_kept(manifest, tmp_path):
    def batches(**changes):
        config = tiny_config(tmp_path / "out", manifest, phantom_fraction=0.3, **changes)
        return ReplayedBatches(
            case_source(config),
            config.data,
            half_extent_mm=config.input_grid.half_extent_mm,
            seed=1,
            inverting=True,
        )

    first, again = batches(), batches(cache=tmp_path / "cache")
    forwards = [first[step] for step in range(4)]
    for step in (3, 1, 0, 2):
        backwards = again[step]
        assert set(backwards) == set(forwards[step])
        for key, value in backwards.items():
            assert torch.equal(value, forwards[step][key]), (step, key)


def test_another_visit_shows_a_case_through_another_window(manifest, tmp_path):
    source = case_source(tiny_config(tmp_path / "out", manifest))
    visits = [source(TRAINING_SEED + n) for n in range(30)]
    places = {tuple(v.landmarks_mm[1].tolist()) for v in visits}
    assert len(places) > 20


def test_without_sets_the_phantom_alone_is_drawn(tmp_path):
    config = tiny_config(tmp_path, [])
    source, phantom = case_source(config), phantom_source(config)
    assert torch.equal(source(7).image, phantom(7).image)
    assert validation_count(config, source) == 4
    assert not (tmp_path / "datasets.json").exists()


def test_no_real_case_validates_twice(manifest, tmp_path):
    config = tiny_config(tmp_path / "out", manifest)
    source = case_source(config)
    train, validation = len(source.training), len(source.validation)
    assert train + validation == 4
    assert validation_count(config, source) == validation < config.validation_count
    report = json.loads((tmp_path / "out" / "datasets.json").read_text(encoding="utf-8"))
    (counted,) = report["sets"]
    assert counted["kind"] == "manifest"
    assert (counted["train"], counted["validation"]) == (train, validation)


def named(count, first=0):
    return tuple(CaseFiles(f"{n}", f"patient {n // 2}", image=None) for n in range(first, count))


def test_a_patients_images_stay_on_one_side_and_stay_there_when_patients_join():
    few, many = with_splits(named(40), 0.3), with_splits(named(400), 0.3)
    sides = {}
    for case in many:
        assert sides.setdefault(case.patient, case.split) == case.split
    assert few == many[:40]
    assert 0.2 < Counter(case.split for case in many)["validation"] / 400 < 0.4


def test_named_validation_cases_stand_and_where_there_are_none_test_cases_stay_out():
    cases = [replace(case, split="train") for case in named(40)]
    cases[:2] = [replace(case, split="test") for case in cases[:2]]
    drawn = Counter(case.split for case in with_splits(tuple(cases), 0.3))
    assert drawn["test"] == 2
    assert drawn["validation"] > 2
    cases[2:4] = [replace(case, split="validation") for case in cases[2:4]]
    assert with_splits(tuple(cases), 0.3) == tuple(cases)


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 0), (1e-6, 1), (0.999999, 2)])
def test_some_patient_validates_and_some_patient_trains(fraction, expected):
    splits = [case.split for case in with_splits(named(6), fraction)]
    assert splits.count("validation") == 2 * expected


def test_mu_regpro_folders_are_found_from_each_level(tmp_path):
    write_pair_folder(tmp_path, 3)
    whole = list_mu_regpro(tmp_path, Space.US)
    assert [case.split for case in whole.cases] == ["train", "train", "validation"]
    assert whole.cases[0].where == "nifti_data/train/us_images/case000000.nii.gz"
    assert len(list_mu_regpro(tmp_path / "nifti_data", Space.US).cases) == 3
    assert len(list_mu_regpro(tmp_path / "nifti_data" / "train", Space.MR).cases) == 2
    (tmp_path / "nifti_data" / "val" / "us_labels" / "case000002.nii.gz").unlink()
    assert [str(row) for row in list_mu_regpro(tmp_path, Space.US).bad] == [
        "nifti_data/val/us_images/case000002.nii.gz: no labels us_labels/case000002.nii.gz "
        "beside it"
    ]


def test_the_gland_is_channel_0_of_mu_regpro_labels(tmp_path):
    write_pair_folder(tmp_path, 3)
    sets = [{"kind": "mu-regpro", "path": tmp_path}]
    source = case_source(tiny_config(tmp_path / "out", sets))
    volume_ml = source.training[0].gland.sum() / 255 * 8 / 1000
    # 4/3 pi 24 15 19 mm^3; the other channels hold spheres of 4 mm
    assert volume_ml == pytest.approx(28.65, rel=0.05)


def test_synthetic_folders_come_with_true_points(tmp_path):
    write_pair_folder(tmp_path, 3, truth=True)
    sets = [{"kind": "phantom", "path": tmp_path}]
    source = case_source(tiny_config(tmp_path / "out", sets))
    assert source.training[0].sd_mm.tolist() == [0.0] * 10
    sample = source(TRAINING_SEED)
    assert sample.weight.tolist() == [1.0] * 10
    assert np.allclose(np.diff(sample.landmarks_mm[:2], axis=0)[0], [0, 0, 38], atol=1e-3)
    (tmp_path / "truth" / "case000001.json").unlink()
    assert [str(row) for row in list_phantom(tmp_path, Space.MR).bad] == [
        "mr_images/case000001.nii.gz: no truth/case000001.json beside it"
    ]


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputError) as refusal:
        list_mu_regpro(tmp_path, Space.MR)
    assert str(refusal.value) == (
        f"{tmp_path}: no nifti_data/*/mr_images/*.nii.gz there, so not the mu-regpro layout"
    )


def test_one_patient_alone_is_refused_unless_synthetic_cases_validate(tmp_path):
    path = write_manifest(tmp_path, [write_case(tmp_path, "case0", 0)])
    sets = [{"kind": "manifest", "path": path}]
    with pytest.raises(InputError) as refusal:
        case_source(tiny_config(tmp_path / "out", sets))
    assert str(refusal.value) == (
        "datasets.sets leave no case for validation; add patients, name some in the split, or set "
        "datasets.validation_fraction to 0 to validate on synthetic cases"
    )
    source = case_source(tiny_config(tmp_path / "out", sets, validation_fraction=0.0))
    assert (len(source.training), len(source.validation)) == (1, 0)


def test_a_set_without_the_modality_is_refused(manifest, tmp_path):
    with pytest.raises(InputError) as refusal:
        case_source(tiny_config(tmp_path / "out", manifest, space="us"))
    assert str(refusal.value) == (
        "datasets.sets hold no US case to train on; name images of that modality"
    )


MISTAKES = {
    '[datasets]\nset = "x"': "unknown key 'datasets.set'; known ones: sets, phantom_fraction, ",
    '[[datasets.sets]]\nkind = "manifest"': "the key 'datasets.sets.0.path' is missing",
    '[[datasets.sets]]\nkind = "dicom"\npath = "x"': (
        "datasets.sets.0.kind: input should be 'manifest', 'mu-regpro', 'phantom' or 'tcia', found"
    ),
    '[[datasets.sets]]\nkind = "tcia"\npath = "x"\nsplit = 1': (
        "unknown key 'datasets.sets.0.split'; known ones: kind, path"
    ),
    "[datasets]\nphantom_fraction = 1.0": (
        "datasets.phantom_fraction: input should be less than 1, found 1.0"
    ),
    '[datasets]\non_bad_row = "ask"': "datasets.on_bad_row: input should be 'refuse' or 'skip', ",
    '[[datasets.sets]]\nkind = "tcia"\npath = "x"\n[[datasets.sets]]\nkind = "tcia"\npath = "x"': (
        "datasets: datasets.sets names 'x' twice"
    ),
}


@pytest.mark.parametrize(("text", "sentence"), MISTAKES.items())
def test_a_mistake_in_the_configuration_is_named_by_its_key(tmp_path, text, sentence):
    (tmp_path / "train.toml").write_text(f'space = "mr"\noutput = "out"\n{text}\n')
    with pytest.raises(InputError) as refusal:
        read_config(tmp_path / "train.toml")
    assert str(refusal.value).startswith(f"train.toml: {sentence}")


def test_paths_are_relative_to_the_configuration(tmp_path):
    (tmp_path / "train.toml").write_text(
        'space = "mr"\noutput = "out"\n[datasets]\ncache = "kept"\n'
        '[[datasets.sets]]\nkind = "manifest"\npath = "data/cases.csv"\n'
    )
    section = read_config(tmp_path / "train.toml").datasets
    assert section.cache == tmp_path / "kept"
    assert section.sets[0].path == tmp_path / "data" / "cases.csv"
