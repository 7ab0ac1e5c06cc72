"""A pair whose true transform is known: oblique, anisotropic, off-origin, one left-handed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

from fusioninit.exchange.contents import Contents
from fusioninit.exchange.export import export_contents
from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.imaging.reading import read_volume
from fusioninit.imaging.volume import Volume, VolumeSource
from fusioninit.landmarks import LandmarkSet
from fusioninit.state import Core, CoreKind, Target

US_POINTS = {
    "apex": [12.5, -31.0, 205.25],
    "bladder_neck": [14.0, -42.5, 244.0],
    "posterior_median": [11.0, -12.0, 226.5],
}


def blobs(grid: Grid, centres: np.ndarray) -> np.ndarray:
    """Smooth bumps at world points: the same object, whatever the grid."""
    points = grid.points_mm()
    values = np.zeros(grid.shape)
    for number, centre in enumerate(centres):
        distance2 = ((points - centre) ** 2).sum(-1)
        values += (number + 2) * 100 * np.exp(-distance2 / (2 * (5 + number) ** 2))
    return values.astype(np.float32)


@pytest.fixture(scope="session")
def us_from_mr() -> RigidTransform:
    return RigidTransform.from_parts(
        Space.US,
        Space.MR,
        rotation=rotation_matrix([0.7, -0.35, 0.5]),
        translation_mm=[31.7, -64.2, 118.9],
    )


@pytest.fixture(scope="session")
def us_grid() -> Grid:
    turn = rotation_matrix([-0.4, 0.2, 0.1]) * [1, 1, -1]
    return _grid_about((31, 43, 37), [2.0, 1.5, 1.7], [12.0, -30, 225], turn)


@pytest.fixture(scope="session")
def mr_grid(us_from_mr) -> Grid:
    centre = us_from_mr.inverse().apply([12.0, -30, 225])
    return _grid_about((27, 53, 47), [1.1, 1.3, 3.0], centre, rotation_matrix([0.1, 0.3, -0.2]))


def _grid_about(shape, spacing, centre, direction) -> Grid:
    middle = (np.array(shape[::-1]) - 1) / 2 * spacing
    return Grid(shape, spacing, np.asarray(centre) - direction @ middle, direction)


@pytest.fixture(scope="session")
def contents(us_from_mr, us_grid, mr_grid) -> Contents:
    us_points = np.array(list(US_POINTS.values()))
    mr_points = us_from_mr.inverse().apply(us_points)
    return Contents(
        us_from_mr=us_from_mr,
        us_landmarks=LandmarkSet.from_positions(Space.US, US_POINTS),
        mr_landmarks=LandmarkSet.from_positions(
            Space.MR, dict(zip(US_POINTS, mr_points, strict=True))
        ),
        us=Volume(blobs(us_grid, us_points), us_grid, Space.US, VolumeSource(format="phantom")),
        mr=Volume(blobs(mr_grid, mr_points), mr_grid, Space.MR, VolumeSource(format="phantom")),
        targets=(
            Target("left, base", mr_points[0] + [4, 5, 6]),
            Target("right apex", mr_points[1] - [7, 2, 3], 5.0),
        ),
        cores=(
            Core("Left mid lateral", us_points[0] + [9, 1, 14], us_points[0] + [9, -15, 20]),
            Core(
                "right apex 1",
                us_from_mr.apply(mr_points[1] - [7, 2, 3]) + [0, 17, -1.5],
                us_from_mr.apply(mr_points[1] - [7, 2, 3]) - [0, 0, 1.5],
                CoreKind.TARGETED,
                "right apex",
            ),
        ),
    )


PATIENT = {
    "PatientName": "Secret^Name",
    "PatientID": "SECRET-42",
    "PatientBirthDate": "19500101",
    "PatientSex": "M",
    "AccessionNumber": "ACC-7788",
    "StudyID": "ST-991",
    "ReferringPhysicianName": "Doctor^Strange",
}
"""The patient of the DICOM MR, and what else leads to them."""


def write_mr_series(folder, volume) -> None:
    """A classic series of a volume, one file per slice, in `PATIENT`'s name."""
    folder.mkdir()
    grid = volume.grid
    for number, pixels in enumerate(np.asarray(volume.voxels).astype("<u2")):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.826.0.1.1", "1.2.826.0.1.2"
        data.FrameOfReferenceUID, data.Modality = "1.2.826.0.1.3", "MR"
        for name, value in PATIENT.items():
            setattr(data, name, value)
        data.StudyDate, data.StudyTime = "20260102", "101500"
        data.SeriesNumber, data.SeriesDescription = 4, "t2_tse_tra"
        data.InstanceNumber, data.ImageType = number + 1, ["ORIGINAL", "PRIMARY", "M"]
        data.Rows, data.Columns, data.SamplesPerPixel = *pixels.shape, 1
        data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
        cosines, position = grid.direction[:, :2].T.ravel(), grid.to_world([0, 0, number])
        data.ImageOrientationPatient = [DSfloat(float(v), auto_format=True) for v in cosines]
        data.ImagePositionPatient = [DSfloat(float(v), auto_format=True) for v in position]
        data.PixelSpacing = grid.spacing_mm[[1, 0]].tolist()
        data.PixelData = pixels.tobytes()
        data.save_as(folder / f"{number}.dcm", enforce_file_format=True)


@pytest.fixture(scope="session")
def dicom_contents(contents, tmp_path_factory) -> Contents:
    """The same pair where MR is a DICOM series and US has no DICOM frame of reference."""
    folder = tmp_path_factory.mktemp("dicom") / "Secret_Name"
    write_mr_series(folder, contents.mr)
    return replace(contents, mr=read_volume(folder, space=Space.MR))


@pytest.fixture(scope="session")
def dicom_files(dicom_contents, tmp_path_factory):
    """An export of that pair."""
    return export_contents(dicom_contents, tmp_path_factory.mktemp("dicom-export"))
