from pathlib import Path

import numpy as np
import pytest

from fusioninit.errors import InputError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging import Volume, VolumeSource
from fusioninit.state.guards import pair_warnings, require_two_images


def volume(space, value, **source):
    return Volume(np.full((3, 4, 5), value), Grid((3, 4, 5)), space, VolumeSource(**source))


def test_two_images_pass():
    require_two_images(
        mr=volume(Space.MR, 1, path=Path("a")), us=volume(Space.US, 2, path=Path("b"))
    )


def test_two_series_of_one_folder_pass():
    require_two_images(
        mr=volume(Space.MR, 1, path=Path("study"), series_uid="1.2"),
        us=volume(Space.US, 2, path=Path("study"), series_uid="1.3"),
    )


@pytest.mark.parametrize("names", [("a", "a"), ("a", "copy-of-a")])
def test_one_image_given_twice_is_refused(names):
    with pytest.raises(InputError, match="given as both MR and US; choose the other"):
        require_two_images(
            mr=volume(Space.MR, 1, path=Path(names[0])), us=volume(Space.US, 1, path=Path(names[1]))
        )


def test_another_patient_is_warned_of():
    (sentence,) = pair_warnings(
        mr=volume(Space.MR, 1, patient_key="aa"), us=volume(Space.US, 2, patient_key="bb")
    )
    assert "different patients" in sentence


def test_an_implausible_interval_is_warned_of():
    (sentence,) = pair_warnings(
        mr=volume(Space.MR, 1, study_date="20240101"), us=volume(Space.US, 2, study_date="20260101")
    )
    assert "731 days apart" in sentence


def test_unknown_patient_and_date_give_no_warning():
    assert pair_warnings(mr=volume(Space.MR, 1, patient_key="aa"), us=volume(Space.US, 2)) == ()
