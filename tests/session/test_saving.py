import numpy as np
import pytest

from fusioninit.geometry import Grid, Space
from fusioninit.imaging import Volume, VolumeSource
from fusioninit.session import InlineJob, Saving, Session
from fusioninit.state import Case, load_case


@pytest.fixture
def session(qapp, tmp_path):
    path = tmp_path / "original" / "us.npy"
    path.parent.mkdir()
    voxels = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    np.save(path, voxels)
    volume = Volume(voxels, Grid.centred((3, 4, 5), 1.0), Space.US, VolumeSource(path=path))
    session = Session()
    session.open_case(Case().with_volume(volume))
    return session


def read_npy(path, *, space, **_):
    voxels = np.load(path)
    return Volume(voxels, Grid.centred(voxels.shape, 1.0), space, VolumeSource(path=path))


def test_a_case_saved_with_its_images_opens_without_the_originals(session, tmp_path):
    saving, saved, progress = Saving(session, InlineJob()), [], []
    saving.saved.connect(lambda path, case: saved.append((path, case)))
    saving.progressed.connect(lambda fraction, text: progress.append(text))
    saving.start(tmp_path / "there" / "case")
    assert [case for _, case in saved] == [session.case]
    assert progress == ["Copying images"]
    (tmp_path / "original" / "us.npy").unlink()
    loaded = load_case(saved[0][0], read=read_npy)
    np.testing.assert_array_equal(loaded.us.voxels, session.case.us.voxels)


def test_an_image_that_is_gone_is_named_and_nothing_is_saved(session, tmp_path):
    saving, failed = Saving(session, InlineJob()), []
    saving.failed.connect(failed.append)
    (tmp_path / "original" / "us.npy").unlink()
    saving.start(tmp_path / "case")
    assert failed == [
        "the US was not read from a file that is still there; save the case without copying its "
        "images"
    ]
    assert not list(tmp_path.glob("*.fusion.json"))


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(session, tmp_path):
    saving, failed = Saving(session, InlineJob()), []
    saving.failed.connect(failed.append)
    (tmp_path / "file").write_text("")
    saving.start(tmp_path / "file" / "case")
    assert len(failed) == 1
    assert failed[0].startswith("The case was not saved: ")
    assert failed[0].endswith("Choose another folder.")
