"""Writers of small synthetic data sets of every layout, with known glands and landmarks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

from fusioninit.geometry import Grid
from fusioninit.imaging.surfaces import surface_triangles
from fusioninit.landmarks import ALL_NAMES
from fusioninit.training.config import TrainingConfig

GRID = Grid((26, 34, 38), np.array([2.0, 2.2, 2.8]), np.array([-30.0, -55.0, 12.0]))
"""Anisotropic and off-origin; no two sizes equal."""

RADII_MM = np.array([24.0, 15.0, 19.0])


def gland_points(center_mm, radii_mm=RADII_MM):
    """Landmarks on the poles of the ellipsoid, by name."""
    x, y, z = radii_mm
    # at half of the semi-axis an ellipsoid is sqrt(3) / 2 as wide as in the middle
    ends = [(way * 0.75**0.5 * x, 0, end * z / 2) for end in (-1, 1) for way in (1, -1)]
    steps = [(0, 0, -z), (0, 0, z), (0, y, 0), (x, 0, 0), (-x, 0, 0), (0, -y, 0), *ends]
    return {n: (center_mm + np.array(s)).tolist() for n, s in zip(ALL_NAMES, steps, strict=True)}


def gland_mask(grid, center_mm, radii_mm=RADII_MM):
    return (((grid.points_mm() - center_mm) / radii_mm) ** 2).sum(-1) < 1


def gland_image(grid, mask, seed=0):
    noise = np.random.default_rng(seed).normal(0, 5, grid.shape)
    return (60 + 80 * mask + noise).clip(1, 250).astype(np.int16)


def centre_of(seed, grid=GRID):
    return grid.center_mm + np.random.default_rng(seed).normal(0, 2, 3)


def write_nifti(path: Path, voxels, grid=GRID) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(voxels)
    if voxels.ndim == 4:
        image = sitk.JoinSeries([_placed(sitk.GetImageFromArray(v), grid) for v in voxels])
    else:
        image = _placed(image, grid)
    sitk.WriteImage(image, str(path))
    return path


def _placed(image, grid):
    image.SetSpacing(grid.spacing_mm.tolist())
    image.SetOrigin(grid.origin_mm.tolist())
    image.SetDirection(grid.direction.ravel().tolist())
    return image


def write_case(folder: Path, name: str, seed: int, *, landmarks=True, mask=True) -> str:
    """Image, points and mask of one case; its line `image,modality,landmarks,mask`."""
    center = centre_of(seed)
    inside = gland_mask(GRID, center)
    write_nifti(folder / f"{name}.nii.gz", gland_image(GRID, inside, seed))
    if mask:
        write_nifti(folder / f"{name}-gland.nii.gz", inside.astype(np.uint8))
    if landmarks:
        points = {key: value for key, value in gland_points(center).items() if key != "apex"}
        (folder / f"{name}.json").write_text(json.dumps({"landmarks": points}))
    return (
        f"{name}.nii.gz,mr,{name + '.json' if landmarks else ''},"
        f"{name + '-gland.nii.gz' if mask else ''}"
    )


def write_manifest(folder: Path, lines: list[str], header="image,modality,landmarks,mask") -> Path:
    path = folder / "cases.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def write_pair_folder(folder: Path, count: int, *, truth=False) -> Path:
    """The mu-RegPro layout below `folder`, or with `truth` that of `fusioninit phantom`."""
    for number in range(count):
        name = f"case{number:06d}"
        split = "" if truth else ("val" if number == count - 1 else "train")
        root = folder if truth else folder / "nifti_data" / split
        center = centre_of(number)
        inside = gland_mask(GRID, center)
        elsewhere = gland_mask(GRID, center, np.full(3, 4.0))
        for space in ("mr", "us"):
            write_nifti(root / f"{space}_images" / f"{name}.nii.gz", gland_image(GRID, inside))
            labels = np.stack([inside, elsewhere, elsewhere]).astype(np.uint8)
            write_nifti(root / f"{space}_labels" / f"{name}.nii.gz", labels)
        if truth:
            points = gland_points(center)
            record = {"us_from_mr": np.eye(4).tolist(), "landmarks": {"mr": points, "us": points}}
            (folder / "truth").mkdir(exist_ok=True)
            (folder / "truth" / f"{name}.json").write_text(json.dumps(record))
    return folder


def write_stl(path: Path, mask, grid) -> Path:
    vertices, triangles = surface_triangles(mask, grid)
    record = np.zeros(
        len(triangles), dtype=[("n", "<f4", 3), ("corners", "<f4", (3, 3)), ("a", "<u2")]
    )
    record["corners"] = vertices[triangles]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(80) + len(record).to_bytes(4, "little") + record.tobytes())
    return path


def dicom_header(sop_class: str, uid: str, **elements) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = sop_class
    data.SOPInstanceUID = generate_uid()
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.SeriesInstanceUID, data.StudyInstanceUID = uid, "1.2.3"
    data.PatientID = "synthetic"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.PixelRepresentation = 0
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def write_mr_series(folder: Path, uid: str, voxels, grid=GRID) -> Path:
    folder.mkdir(parents=True)
    for number, pixels in enumerate(voxels):
        data = dicom_header("1.2.840.10008.5.1.4.1.1.4", uid, Modality="MR")
        data.SeriesDescription, data.FrameOfReferenceUID = "t2_spc_rst_axial", "1.2.3.9"
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
        data.Rows, data.Columns = pixels.shape
        data.PixelSpacing = [DSfloat(float(v)) for v in grid.spacing_mm[[1, 0]]]
        data.SliceThickness = DSfloat(float(grid.spacing_mm[2]))
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.ImagePositionPatient = [
            DSfloat(float(v), auto_format=True) for v in grid.to_world([0, 0, number])
        ]
        data.InstanceNumber = number + 1
        data.PixelData = pixels.astype("<u2").tobytes()
        data.save_as(folder / f"1-{number + 1:02d}.dcm", enforce_file_format=True)
    return folder


def write_us_file(path: Path, uid: str, voxels, spacing_mm: float) -> Path:
    """One multi-frame file with the voxel size in the maker's private element alone."""
    path.parent.mkdir(parents=True)
    data = dicom_header("1.2.840.10008.5.1.4.1.1.3.1", uid, Modality="US")
    data.Manufacturer, data.ManufacturerModelName = "Eigen", "Artemis"
    data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
    data.NumberOfFrames, data.Rows, data.Columns = voxels.shape
    block = data.private_block(0x1129, "Eigen, Inc", create=True)
    block.add_new(0x16, "DS", str(spacing_mm))
    data.PixelData = voxels.astype(np.uint8).tobytes()
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


US_SPACING_MM = 1.5
US_SHAPE = (44, 48, 54)


def us_scene(seed=0):
    """Voxels (k, j, i), mask and grid of a US volume whose middle is the origin."""
    grid = Grid.centred(US_SHAPE, US_SPACING_MM)
    mask = gland_mask(grid, np.random.default_rng(seed).normal(0, 2, 3), RADII_MM * 0.95)
    return gland_image(grid, mask, seed), mask, grid


def write_tcia(root: Path, count: int, *, us_axes=(0, 1, 2)) -> Path:
    """MR and US of `count` patients; the US array's axes are stored permuted by `us_axes`."""
    for number in range(1, count + 1):
        patient = f"Prostate-MRI-US-Biopsy-{number:04d}"
        dicom, stl = root / "Prostate-MRI-US-Biopsy" / patient / "study", root / "STLs" / "STLs"
        mr_uid, us_uid = f"1.2.826.{number}.1", f"1.2.826.{number}.2"
        mask = gland_mask(GRID, centre_of(number))
        write_mr_series(dicom / "mr", mr_uid, gland_image(GRID, mask, number))
        write_stl(stl / f"{patient}-ProstateSurface-seriesUID-{mr_uid}.STL", mask, GRID)
        voxels, mask, grid = us_scene(number)
        write_us_file(dicom / "us" / "1-1.dcm", us_uid, voxels.transpose(us_axes), US_SPACING_MM)
        write_stl(stl / f"{patient}-ProstateSurface-seriesUID-{us_uid}.STL", mask, grid)
        write_stl(stl / f"{patient}-Target1-seriesUID-{us_uid}.STL", mask, grid)
    return root


def tiny_config(
    output: Path, sets, *, space="mr", steps=2, landmarks=10, **datasets
) -> TrainingConfig:
    """A network and a training small enough for a test; no synthetic cases unless asked."""
    table = {
        "space": space,
        "output": output,
        "grid": (32, 32, 32),
        "validate_every": 2,
        "validation_count": 4,
        "accelerator": "cpu",
        "precision": "float32",
        "threads": 1,
        "network": {"channels": (16, 16), "landmarks": landmarks},
        "data": {"batch_size": 2, "fresh_per_batch": 1, "replay_window": 4},
        "stopping": {"max_steps": steps},
        "datasets": {"phantom_fraction": 0.0, "isolated": False, "sets": sets, **datasets},
    }
    return TrainingConfig.model_validate(table)
