"""A prior learned from exports as they lie on disk, written by the exporter itself."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fusioninit.errors import InputError
from fusioninit.exchange.learned_prior import learn_prior
from fusioninit.exchange.sidecar import write_sidecar
from fusioninit.geometry import RigidTransform, Space, rotation_matrix, rotation_vector_rad
from fusioninit.state import Decision

ACCEPTED, REJECTED = Decision(True, "", "MK"), Decision(False, "no", "MK")


def others_like(contents, number):
    """The pair as it would lie in another patient: turned and shifted, its landmarks along."""
    rng = np.random.default_rng(number)
    turn = rotation_matrix(rng.normal([0.3, 0, 0], [0.1, 0.05, 0.05]))
    middle = contents.us.grid.center_mm
    shift = middle + rng.normal(size=3) * 5 - turn @ contents.mr_landmarks.positions_mm().mean(0)
    moved = RigidTransform.from_parts(Space.US, Space.MR, rotation=turn, translation_mm=shift)
    return replace(contents, us_from_mr=moved, decision=ACCEPTED)


@pytest.fixture(scope="module")
def exports(contents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    made = [others_like(contents, number) for number in range(10)]
    for number, one in enumerate(made):
        (folder / f"patient {number}").mkdir()
        write_sidecar(folder / f"patient {number}" / "registration.json", one)
    (folder / "rejected").mkdir()
    write_sidecar(folder / "rejected" / "registration.json", replace(contents, decision=REJECTED))
    (folder / "not reviewed").mkdir()
    write_sidecar(folder / "not reviewed" / "registration.json", contents)
    (folder / "other").mkdir()
    (folder / "other" / "registration.json").write_text('{"schema": "something else"}')
    return folder, made


def test_rotation_and_place_are_those_of_the_accepted_exports(exports, contents):
    folder, made = exports
    prior = learn_prior(folder)
    assert prior.name == "learned from 10 accepted registrations"
    vectors = [rotation_vector_rad(one.us_from_mr.rotation) for one in made]
    np.testing.assert_allclose(prior.rotation.mean_rad, np.mean(vectors, axis=0), atol=1e-9)
    mean_mr = contents.mr_landmarks.positions_mm().mean(axis=0)
    places = [one.us_from_mr.apply(mean_mr) - contents.us.grid.center_mm for one in made]
    np.testing.assert_allclose(prior.place.mean_mm, np.mean(places, axis=0), atol=1e-9)
    model = prior.model(contents.us.grid)
    np.testing.assert_allclose(
        model.center.mean_mm - contents.us.grid.center_mm, prior.place.mean_mm, atol=1e-9
    )
    assert prior.model(None).center is None


def test_a_pair_exported_again_counts_once_and_as_last_exported(exports, tmp_path):
    folder, _ = exports
    record = json.loads((folder / "patient 0" / "registration.json").read_text())
    for number in range(9):
        same = number in (3, 4)
        record["images"]["us"]["sha256"] = "the same" if same else f"us {number}"
        record["images"]["mr"]["sha256"] = "mr"
        record["written_utc"] = f"2026-01-0{number + 1}T00:00:00+00:00"
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "registration.json").write_text(json.dumps(record))
    assert learn_prior(tmp_path).name == "learned from 8 accepted registrations"


def test_without_the_us_image_only_the_rotation_is_learned(exports, tmp_path):
    _, made = exports
    for number, one in enumerate(made):
        (tmp_path / str(number)).mkdir()
        write_sidecar(tmp_path / str(number) / "registration.json", replace(one, us=None))
    assert learn_prior(tmp_path).place is None


def test_too_few_are_refused_with_what_was_found_and_what_to_do(exports, tmp_path):
    folder, made = exports
    (tmp_path / "a").mkdir()
    write_sidecar(tmp_path / "a" / "registration.json", made[0])
    with pytest.raises(InputError, match=r"1 accepted registrations .* needs 8: accept"):
        learn_prior(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        learn_prior(folder / "nowhere")
