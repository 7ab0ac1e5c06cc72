"""Damaged headers: any byte may be anything, and the answer is a volume or one sentence."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.headers import MAX_BYTES
from fusioninit.imaging.isolation import _environment
from fusioninit.imaging.reading import read_volume

ROOT = Path(__file__).parents[2]

changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6
)
FEW = 240
"""Files of the short version: some six of each format."""

quietly = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def damaged(raw: bytes, edits, header_bytes: int) -> bytes:
    data = bytearray(raw)
    for share, value in edits:
        data[int(share * min(header_bytes, len(data)))] = value
    return bytes(data)


def answer_is_sane(path) -> None:
    try:
        volume = read_volume(path, space=Space.MR, isolated=False)
    except InputError as refusal:
        sentence = str(refusal)
    else:
        sentence = ""
        assert volume.voxels.nbytes <= MAX_BYTES
        assert np.isfinite(volume.grid.world_from_index).all()
        assert np.isfinite(volume.voxels).all()
    assert "\n" not in sentence
    assert len(sentence) < 500


@pytest.mark.parametrize(
    ("suffix", "header_bytes"), [(".nii", 352), (".nii.gz", 200), (".nrrd", 400), (".mha", 400)]
)
@quietly
@given(edits=changes)
def test_a_damaged_file_gives_a_volume_or_a_sentence(tmp_path, suffix, header_bytes, edits):
    path = tmp_path / f"scan{suffix}"
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    path.write_bytes(damaged(path.read_bytes(), edits, header_bytes))
    answer_is_sane(path)


@quietly
@given(edits=changes, victim=st.integers(0, 3))
def test_a_damaged_dicom_slice_gives_a_volume_or_a_sentence(write, grid, edits, victim):
    for number in range(4):
        pixels = np.full((5, 7), number * 10, np.uint16)
        raw = io.BytesIO()
        pydicom.dcmwrite(raw, write.slice_of(grid, pixels, number), enforce_file_format=True)
        data = raw.getvalue()
        if number == victim:
            # the first 132 bytes only say that it is DICOM
            data = data[:132] + damaged(data[132:], edits, len(data))
        (write.folder / f"{number}.dcm").write_bytes(data)
    answer_is_sane(write.folder)


@quietly
@given(text=st.text(max_size=300))
def test_any_text_is_refused(tmp_path, text):
    for suffix in (".nii", ".nrrd", ".mha", ".dcm"):
        path = tmp_path / f"scan{suffix}"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError):
            read_volume(path, space=Space.MR, isolated=False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each file is read in a forked process")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured by /proc")
def test_damaged_files_of_every_format_give_an_answer_or_one_sentence(tmp_path):
    """The short version of `python -m tests.imaging.fuzz`."""
    code = (
        "import json, pathlib, sys; from tests.imaging.fuzz import fuzz; "
        f"keep = pathlib.Path({str(tmp_path)!r}); "
        f"print(json.dumps(fuzz(1, seconds=120, most={FEW}, keep=keep)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=300, env=_environment(),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    table = json.loads(ran.stdout.splitlines()[-1])
    assert len(table) > 30
    failures = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*/why.txt")]
    assert failures == []
    assert sum(row.get("failed", 0) for row in table.values()) == 0
    assert sum(row.get("refused", 0) for row in table.values()) > FEW / 3


def test_a_codestream_that_claims_another_size_is_refused_before_it_is_unpacked(write):
    """A decoder would allocate what the stream claims: here 12 GB of a file of 3 kB."""
    path = write.us_multiframe(PixelSpacing=[0.3, 0.4], SliceThickness=0.5)
    data = pydicom.dcmread(path)
    data.compress("1.2.840.10008.1.2.4.80")
    packed = bytearray(data.PixelData)
    at = packed.index(b"\xff\xf7") + 5
    packed[at : at + 4] = b"\xff\xff\xff\xff"
    data.PixelData = bytes(packed)
    data.save_as(path, enforce_file_format=True)
    with pytest.raises(InputError, match="are of another size than its header says"):
        read_volume(path, space=Space.US, isolated=False)
