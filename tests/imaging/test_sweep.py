"""Every file that comes with pydicom and nibabel: read, or refused with one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel
import pydicom
import pytest

from fusioninit.imaging.isolation import _environment

SWEEP = """
import json, pathlib, sys, warnings
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.reading import read_mask, read_regions, read_volume
warnings.simplefilter("ignore")
root = pathlib.Path(sys.argv[1])
files = [p for p in sorted(root.rglob("*")) if p.is_file() and p.suffix not in (".py", ".pyc")]
outcome = {"read": [], "refused": [], "crashed": []}
for path in [*sorted({p.parent for p in files}), *files]:
    try:
        if sys.argv[2] == "regions":
            found = read_regions(path, isolated=False)
        elif sys.argv[2] == "mask":
            found = read_mask(path, space=Space.MR, isolated=False)
        else:
            found = read_volume(path, space=Space(sys.argv[2]), isolated=False)
        outcome["read"].append(path.name)
    except InputError as refusal:
        outcome["refused"].append([path.name, str(refusal)])
    except Exception as error:
        outcome["crashed"].append([path.name, repr(error)])
# VmHWM, because ru_maxrss starts at what the parent process held
status = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
outcome["peak_bytes"] = int(status.split("VmHWM:")[1].split()[0]) * 1024
print(json.dumps(outcome))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="memory use is measured on Unix alone")
@pytest.mark.parametrize("wanted", ["mr", "us", "mask", "regions"])
@pytest.mark.parametrize("package", [pydicom, nibabel], ids=["pydicom", "nibabel"])
def test_every_file_of_a_package_is_read_or_refused_with_one_sentence(package, wanted):
    root = Path(package.__file__).parent
    ran = subprocess.run(
        [sys.executable, "-c", SWEEP, str(root), wanted],
        capture_output=True, text=True, timeout=300, check=True, env=_environment(),
    )  # fmt: skip
    outcome = json.loads(ran.stdout.splitlines()[-1])
    assert outcome["crashed"] == []
    assert outcome["read"] or (package, wanted) == (pydicom, "mask")
    for name, sentence in outcome["refused"]:
        assert "\n" not in sentence
        assert name in sentence or name.removesuffix(".hdr") in sentence, (name, sentence)
        assert any(mark in sentence for mark in (";", ":")), sentence
    assert outcome["peak_bytes"] < 1e9
