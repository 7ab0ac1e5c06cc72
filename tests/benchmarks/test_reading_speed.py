"""What reading in a child process costs: CPU time of parent and child against reading in place.

CPU time, not the clock: it is the same however busy the machine is. Run by
`pytest tests/benchmarks/test_reading_speed.py --benchmark-enable`; the ratio is printed with `-s`.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

from fusioninit.geometry import Space
from fusioninit.imaging.reading import read_volume

ROUNDS = 5


@pytest.fixture(scope="module", params=["nifti", "nrrd"])
def scan(request, tmp_path_factory):
    """A T2 as large as a clinical one: 320 x 320 x 26 voxels of noise, which packs badly."""
    voxels = np.random.default_rng(3).integers(0, 900, (26, 320, 320)).astype(np.int16)
    suffix = {"nifti": ".nii.gz", "nrrd": ".nrrd"}[request.param]
    path = tmp_path_factory.mktemp("scan") / f"scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path), True)
    return path


def cpu_s(run: Callable[[], object]) -> float:
    """CPU seconds of this process and of the children it waited for, mean of `ROUNDS` runs."""
    run()
    before = _used_s()
    for _ in range(ROUNDS):
        run()
    return (_used_s() - before) / ROUNDS


def _used_s() -> float:
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in parts)


@pytest.mark.skipif(sys.platform == "win32", reason="getrusage is POSIX")
def test_reading_in_a_child(scan, benchmark, capsys):
    in_place = cpu_s(lambda: read_volume(scan, space=Space.MR, isolated=False))
    in_child = cpu_s(lambda: read_volume(scan, space=Space.MR))
    benchmark.extra_info |= {"cpu_in_place_s": in_place, "cpu_in_child_s": in_child}
    with capsys.disabled():
        print(f"\n{scan.suffix}: {in_place:.2f} s CPU in place, {in_child:.2f} s with a child")
    benchmark.pedantic(read_volume, (scan,), {"space": Space.MR}, rounds=3)
