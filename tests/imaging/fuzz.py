"""Damaged files of every format that is read: each must give an answer or one sentence, quickly.

    python -m tests.imaging.fuzz --seconds 300 --seed 1

makes small sound files, changes bytes, numbers of the header and lengths, and reads each in a
process of its own. A crash, a traceback, more than `LONGEST_S` or `LARGEST_BYTES` is a failure;
the file is kept in the folder that is named. The same seed gives the same files.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from fusioninit.errors import InputError
from fusioninit.exchange.markups import read_landmarks, write_markups
from fusioninit.exchange.targets import read_targets
from fusioninit.exchange.transforms import (
    read_transform,
    write_elastix,
    write_ras_matrix,
    write_transform,
)
from fusioninit.geometry import RigidTransform, Space, rotation_matrix
from fusioninit.imaging.reading import read_mask, read_regions, read_volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.state import Case, load_case, save_case
from fusioninit.state.case_file import case_record
from fusioninit.state.journal import Journal, read_journal

from .conftest import ENHANCED_US, SeriesWriter, numbered_voxels, oblique_grid
from .test_regions import blocks, image_of, rectangle, rtstruct, sphere_stl, write_seg

LONGEST_S = 20
LARGEST_BYTES = 1_000_000_000
LONGEST_SENTENCE = 600
HEADER_BYTES = 2048

Reader = Callable[[Path], object]


@dataclass(frozen=True)
class Sound:
    """A folder with a sound file, the file to damage, what to open, and how."""

    name: str
    victim: Path
    opened: Path
    read: Reader


def volume(path: Path) -> object:
    found = read_volume(path, space=Space.MR, isolated=False)
    assert np.isfinite(found.voxels).all()
    assert np.isfinite(found.grid.world_from_index).all()
    return found


def mask(path: Path) -> object:
    return read_mask(path, space=Space.MR, isolated=False)


def regions(path: Path) -> object:
    return read_regions(path, isolated=False)


def targets(path: Path) -> object:
    return read_targets(path, isolated=False)


def landmarks(path: Path) -> object:
    return read_landmarks(path, space=Space.US)


def case(path: Path) -> object:
    def read(image: Path, *, space: Space, **_: object) -> object:
        return read_volume(image, space=space, isolated=False)

    return load_case(path, read=read)


def sound_files(root: Path) -> list[Sound]:
    """One file of every format and packing."""
    makers = (_itk_files, _nifti_kinds, _dicom_files, _drawn_files, _text_files)
    return [sound for make in makers for sound in make(root)]


def _itk_files(root: Path) -> list[Sound]:
    grid, found = oblique_grid((5, 6, 7)), []
    image = image_of(numbered_voxels(grid).astype(np.int16), grid)
    for suffix in (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"):
        for packed in (False, True):
            folder = root / f"itk{suffix}{'-packed' if packed else ''}"
            folder.mkdir(parents=True)
            path = folder / f"scan{suffix}"
            sitk.WriteImage(image, str(path), useCompression=packed)
            found.append(Sound(folder.name, path, path, volume))
    labels = image_of(blocks(oblique_grid()), oblique_grid())
    for suffix in (".nii.gz", ".nrrd"):
        folder = root / f"labels{suffix}"
        folder.mkdir()
        path = folder / f"labels{suffix}"
        sitk.WriteImage(labels, str(path))
        found.append(Sound(folder.name, path, path, mask))
        found.append(Sound(f"{folder.name} as targets", path, path, targets))
    return found


def _nifti_kinds(root: Path) -> list[Sound]:
    voxels = numbered_voxels(oblique_grid((5, 6, 7))).astype(np.int16)
    (root / "nifti2").mkdir()
    (root / "pair").mkdir()
    nib.save(nib.Nifti2Image(voxels, np.diag([2, 2, 3, 1])), root / "nifti2" / "scan.nii")
    nib.save(nib.Nifti1Pair(voxels, np.diag([2, 2, 3, 1])), root / "pair" / "scan.img")
    one, pair = root / "nifti2" / "scan.nii", root / "pair" / "scan.hdr"
    return [Sound("nifti2", one, one, volume), Sound("nifti pair", pair, pair, volume)]


def _dicom_files(root: Path) -> list[Sound]:
    grid, found = oblique_grid((4, 6, 8)), []

    def writer(name: str) -> SeriesWriter:
        (root / name).mkdir()
        return SeriesWriter(root / name)

    for name, syntax in (
        ("dicom series", ""),
        ("dicom rle", "1.2.840.10008.1.2.5"),
        ("dicom jpeg-ls", "1.2.840.10008.1.2.4.80"),
    ):
        write = writer(name)
        for number, pixels in enumerate(numbered_voxels(grid)):
            data = write.slice_of(grid, pixels, number)
            if syntax:
                data.compress(syntax)
            write.save(data, f"{number}.dcm")
        found.append(Sound(name, write.folder / "1.dcm", write.folder, volume))
    for name, compressor in (("dicom jpeg lossless", "JPEG"), ("dicom jpeg 2000", "JPEG2000")):
        folder = writer(name).folder
        packer = sitk.ImageFileWriter()
        packer.SetUseCompression(True)
        packer.SetCompressor(compressor)
        packer.SetFileName(str(folder / "us.dcm"))
        packer.Execute(image_of(numbered_voxels(grid), grid))
        found.append(Sound(name, folder / "us.dcm", folder / "us.dcm", volume))
    for name, path in (
        ("enhanced mr", writer("enhanced mr").enhanced(grid, order=[2, 0, 3, 1])),
        ("enhanced us", writer("enhanced us").enhanced(grid, sop_class=ENHANCED_US)),
        ("us multiframe", writer("us multiframe").us_multiframe(
            PixelSpacing=[0.3, 0.4], SliceThickness=0.5)),
    ):  # fmt: skip
        found.append(Sound(name, path, path, volume))
    return found


def _drawn_files(root: Path) -> list[Sound]:
    grid, found = oblique_grid(), []
    for name in ("seg", "rtstruct", "stl", "stl text"):
        (root / name).mkdir()
    labels = blocks(grid)
    masks = np.stack([labels == 3, labels == 7], axis=-1).astype(np.uint8)
    (root / "slices").mkdir()
    write_seg(root / "seg" / "a.dcm", SeriesWriter(root / "slices"), grid, "BINARY", masks)
    outlines = [("CLOSED_PLANAR", rectangle(grid, k, (1, 2), (7, 6))) for k in range(2, 7)]
    rtstruct({"lesion": outlines}).save_as(root / "rtstruct" / "a.dcm", enforce_file_format=True)
    for name, binary in (("stl", True), ("stl text", False)):
        sphere_stl(root / name / "a.stl", (1, 2, 3), binary=binary)
    for name, file in (
        ("seg", "a.dcm"), ("rtstruct", "a.dcm"), ("stl", "a.stl"), ("stl text", "a.stl"),
    ):  # fmt: skip
        found.append(Sound(name, root / name / file, root / name / file, regions))
    return found


def _text_files(root: Path) -> list[Sound]:
    folder = root / "text"
    folder.mkdir()
    us_from_mr = RigidTransform.from_parts(
        Space.US, Space.MR, rotation=rotation_matrix([0.1, 0.2, 0.3]), translation_mm=[2.0, 3, 4]
    )
    marks = LandmarkSet.from_positions(Space.US, {"apex": [1.0, 2, 3], "bladder_neck": [4, 5, 6]})
    journal = Journal(folder / "case.journal")
    whole = Case().with_landmarks(marks)
    journal.append("placed", case_record(whole))
    files: dict[str, tuple[Path, Reader]] = {
        "elastix": (write_elastix(folder / "elastix.txt", us_from_mr), read_transform),
        "ras matrix": (write_ras_matrix(folder / "ras.txt", us_from_mr), read_transform),
        "landmarks": (write_markups(folder / "us.mrk.json", marks), landmarks),
        "landmarks as targets": (write_markups(folder / "t.mrk.json", marks), targets),
        "case": (save_case(whole, folder / "case"), case),
        "journal": (folder / "case.journal", read_journal),
    }
    # not .h5 and .mat: no command opens one, and ITK dies of or loops over some damage of them
    path = write_transform(folder / "us_from_mr.tfm", us_from_mr)
    files["transform tfm"] = (path, read_transform)
    return [Sound(name, path, path, read) for name, (path, read) in files.items()]


def damaged(raw: bytes, dice: random.Random) -> bytes:
    """The same bytes with one to three changes."""
    data = bytearray(raw)
    for _ in range(dice.randint(1, 3)):
        dice.choice((_flip, _flip, _number, _number, _cut, _repeat, _text_number))(data, dice)
    return bytes(data)


def _place(data: bytearray, dice: random.Random) -> int:
    """Mostly in the header, where the damage is worst."""
    end = len(data) if dice.random() < 0.3 else min(HEADER_BYTES, len(data))
    return dice.randrange(max(end, 1))


def _flip(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 8)):
        if data:
            data[_place(data, dice)] = dice.randrange(256)


def _number(data: bytearray, dice: random.Random) -> None:
    """A number as headers hold them, at its extremes."""
    kind = dice.choice(["<h", ">h", "<i", ">i", "<q", "<f", ">f", "<d"])
    extremes = {
        "h": (0, -1, 1, 32767, -32768), "i": (0, -1, 1, 2**31 - 1, -(2**31)),
        "q": (0, -1, 2**63 - 1), "f": (0.0, -1.0, float("nan"), float("inf"), 3e38),
        "d": (0.0, float("nan"), float("inf"), 1e308),
    }  # fmt: skip
    packed = struct.pack(kind, dice.choice(extremes[kind[1]]))
    at = _place(data, dice) // 2 * 2
    data[at : at + len(packed)] = packed


def _text_number(data: bytearray, dice: random.Random) -> None:
    """A digit of a text header becomes another number."""
    digits = [at for at, byte in enumerate(data[:HEADER_BYTES]) if chr(byte).isdigit()]
    if digits:
        at = dice.choice(digits)
        words = (b"-1", b"0", b"nan", b"1e999", b"99999999999", b"", b'"', b"null", b"[]", b"65536")
        data[at : at + 1] = dice.choice(words)


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data) + 1) :]


def _repeat(data: bytearray, dice: random.Random) -> None:
    at = _place(data, dice)
    data[at:at] = data[at : at + dice.randint(1, 64)] * dice.randint(1, 20)


@dataclass(frozen=True)
class Damage:
    """One damaged file to read."""

    number: int
    sound: Sound
    raw: bytes


def outcomes(damages: list[Damage]) -> Iterator[tuple[Damage, dict[str, Any]]]:
    """What reading each gives: "read", "refused" or a failure.

    They are read one after the other in one forked process; where it dies, the next goes on.
    """
    waiting = damages
    while waiting:
        told, status = _in_a_process(waiting)
        yield from zip(waiting, told, strict=False)
        waiting = waiting[len(told) :]
        if waiting and status != 0:
            late = status == -signal.SIGALRM
            why = f"still reading after {LONGEST_S} s" if late else f"the reader died ({status})"
            yield waiting[0], {"kind": "failed", "why": why, "seconds": 0, "bytes": 0}
            waiting = waiting[1:]


def _in_a_process(damages: list[Damage]) -> tuple[list[dict[str, Any]], int]:
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _read_and_tell_all(damages, send)
        os._exit(0)
    os.close(send)
    with os.fdopen(receive, "rb") as stream:
        lines = stream.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return [json.loads(line) for line in lines], status


def _read_and_tell_all(damages: list[Damage], send: int) -> None:
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    base = _most_bytes()
    for damage in damages:
        sound, start = damage.sound, time.monotonic()
        whole = sound.victim.read_bytes()
        sound.victim.write_bytes(damage.raw)
        signal.alarm(LONGEST_S)
        told = _read_and_tell(sound)
        signal.alarm(0)
        sound.victim.write_bytes(whole)
        grown = _most_bytes() - base
        if grown > LARGEST_BYTES:
            told = {"kind": "failed", "why": f"took {grown / 1e9:.1f} GB"}
        told |= {"seconds": time.monotonic() - start, "bytes": grown}
        os.write(send, json.dumps(told).encode() + b"\n")
        if grown > LARGEST_BYTES:
            return


def _read_and_tell(sound: Sound) -> dict[str, Any]:
    try:
        sound.read(sound.opened)
    except InputError as refusal:
        sentence = str(refusal)
        if "\n" in sentence or len(sentence) > LONGEST_SENTENCE:
            return {"kind": "failed", "why": f"not one short sentence: {sentence}"}
        return {"kind": "refused", "why": sentence}
    except MemoryError:
        return {"kind": "refused", "why": "it needs more memory than is given"}
    except BaseException:
        return {"kind": "failed", "why": traceback.format_exc()[-3000:]}
    return {"kind": "read", "why": ""}


def _most_bytes() -> int:
    """Most memory this process has held; of a forked one at least what its parent held."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def fuzz(seed: int, *, seconds: float, most: int, keep: Path) -> dict[str, dict[str, float]]:
    """Damage and read until time or number is out; a table by format. Failures are kept."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    deadline = time.monotonic() + seconds
    table: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        sounds = sound_files(Path(name))
        for sound in sounds:
            # here, so that the processes to come find every library loaded
            sound.read(sound.opened)
        raws = {sound.name: sound.victim.read_bytes() for sound in sounds}
        for first in range(0, most, len(sounds)):
            damages = [
                Damage(first + at, sound, damaged(raws[sound.name], _dice(seed, first + at)))
                for at, sound in enumerate(sounds[: most - first])
            ]
            for damage, told in outcomes(damages):
                sound = damage.sound
                sound.victim.write_bytes(raws[sound.name])
                _count(table.setdefault(sound.name, {}), told)
                if told["kind"] == "failed":
                    _keep(keep / f"{seed}-{damage.number}", damage, told["why"])
            if time.monotonic() > deadline:
                break
    return table


def _dice(seed: int, number: int) -> random.Random:
    return random.Random(f"{seed} {number}")


def _count(row: dict[str, float], told: dict[str, Any]) -> None:
    row[told["kind"]] = row.get(told["kind"], 0) + 1
    for key in ("seconds", "bytes"):
        row[key] = max(row.get(key, 0.0), told[key])


def _keep(folder: Path, damage: Damage, why: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(damage.sound.victim.parent, folder)
    (folder / damage.sound.victim.name).write_bytes(damage.raw)
    text = f"{damage.sound.name}, {damage.sound.victim.name}\n{why}\n"
    (folder / "why.txt").write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=10**9, help="files at most")
    parser.add_argument("--keep", type=Path, default=Path("test-artefacts/fuzz"))
    options = parser.parse_args()
    table = fuzz(options.seed, seconds=options.seconds, most=options.most, keep=options.keep)
    print(f"{'format':28s}   read  refused  failed   longest     most")
    for name, row in table.items():
        counts = (int(row.get(kind, 0)) for kind in ("read", "refused", "failed"))
        read, refused, failed = counts
        size = f"{row['bytes'] / 1e6:.0f} MB"
        print(f"{name:28s} {read:6d} {refused:8d} {failed:7d} {row['seconds']:7.1f} s {size:>8s}")
    failures = int(sum(row.get("failed", 0) for row in table.values()))
    if failures:
        print(f"{failures} failures; the files are in {options.keep}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
