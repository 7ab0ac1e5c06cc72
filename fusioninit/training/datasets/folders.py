"""Two folder layouts of paired volumes: the mu-RegPro data set's, and `fusioninit phantom`'s."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.training.datasets.listing import SPLIT_NAMES, BadRow, CaseFiles, Listing

SUFFIX = ".nii.gz"


def list_mu_regpro(folder: Path, space: Space) -> Listing:
    """Cases of `nifti_data/{train,val,test}/{mr,us}_{images,labels}/NAME.nii.gz`.

    `folder` is the one that holds `nifti_data`, or any below it down to the images' parent. The
    gland is channel 0 of the labels; the other channels mean something else in each case.

    Raises
    ------
    InputError
        No images there.
    """
    return Listing.of(
        _labelled(folder, image, space)
        for image in _images(folder, space, "mu-regpro", ("nifti_data/*/", "*/", ""))
    )


def list_phantom(folder: Path, space: Space) -> Listing:
    """Cases that `fusioninit phantom --out` wrote, with their true landmarks.

    Raises
    ------
    InputError
        No images there.
    """
    return Listing.of(
        _with_truth(folder, image, space) for image in _images(folder, space, "phantom", ("",))
    )


def _images(folder: Path, space: Space, kind: str, above: tuple[str, ...]) -> Iterator[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; datasets.sets names it as {kind}")
    for prefix in above:
        found = sorted(folder.glob(f"{prefix}{space}_images/*{SUFFIX}"))
        if found:
            return iter(found)
    raise InputError(
        f"{folder}: no {above[0]}{space}_images/*{SUFFIX} there, so not the {kind} layout"
    )


def _labelled(root: Path, image: Path, space: Space) -> CaseFiles | BadRow:
    where = image.relative_to(root).as_posix()
    above = image.parent.parent
    labels = above / f"{space}_labels" / image.name
    if not labels.is_file():
        return BadRow(where, f"no labels {space}_labels/{image.name} beside it")
    return CaseFiles(
        where=where,
        patient=f"{above.name}/{image.name.removesuffix(SUFFIX)}",
        image=image,
        split=SPLIT_NAMES.get(above.name, ""),
        mask=labels,
    )


def _with_truth(root: Path, image: Path, space: Space) -> CaseFiles | BadRow:
    where = image.relative_to(root).as_posix()
    name = image.name.removesuffix(SUFFIX)
    truth = root / "truth" / f"{name}.json"
    if not truth.is_file():
        return BadRow(where, f"no truth/{name}.json beside it")
    labels = root / f"{space}_labels" / image.name
    return CaseFiles(
        where=where,
        patient=name,
        image=image,
        landmarks=truth,
        mask=labels if labels.is_file() else None,
        point_sd_mm=0.0,
    )
