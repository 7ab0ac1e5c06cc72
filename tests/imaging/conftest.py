"""Writers of small synthetic DICOM files of every kind, with geometry known by formula."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

from fusioninit.geometry import Grid, rotation_matrix

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
ENHANCED_US = "1.2.840.10008.5.1.4.1.1.6.2"
US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"


def oblique_grid(shape=(11, 13, 17)) -> Grid:
    """Oblique, anisotropic, off-origin; no two sizes equal."""
    return Grid(
        shape,
        np.array([0.6, 0.8, 3.1]),
        np.array([-41.5, 22.25, -310.125]),
        rotation_matrix([0.21, -0.13, 0.34]),
    )


def numbered_voxels(grid: Grid) -> np.ndarray:
    """Every voxel different, so that any permutation or flip shows."""
    return np.arange(np.prod(grid.shape), dtype=np.uint16).reshape(grid.shape)


def decimals(values) -> list[DSfloat]:
    return [DSfloat(float(value), auto_format=True) for value in values]


@dataclass
class SeriesWriter:
    """Writes classic single-frame series, one file per slice."""

    folder: Path

    def header(self, sop_class: str, **elements) -> Dataset:
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = sop_class
        data.SOPClassUID = sop_class
        data.SOPInstanceUID = generate_uid()
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        defaults = {
            "Modality": "MR",
            "PatientID": "synthetic-1",
            "PatientName": "Synthetic^One",
            "StudyDate": "20260102",
            "SeriesInstanceUID": "1.2.3.4",
            "StudyInstanceUID": "1.2.3",
            "FrameOfReferenceUID": "1.2.3.9",
            "SeriesDescription": "t2_tse_tra",
            "SeriesNumber": 4,
            "ImageType": ["ORIGINAL", "PRIMARY", "M"],
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 16,
            "BitsStored": 16,
            "HighBit": 15,
            "PixelRepresentation": 0,
        }
        for name, value in (defaults | elements).items():
            if value is not None:
                setattr(data, name, value)
        return data

    def slice_of(self, grid: Grid, pixels: np.ndarray, number: int, **elements) -> Dataset:
        data = self.header(MR, **elements)
        data.Rows, data.Columns = pixels.shape
        data.PixelSpacing = decimals(grid.spacing_mm[[1, 0]])
        data.SliceThickness = decimals([grid.spacing_mm[2]])[0]
        data.ImageOrientationPatient = decimals(grid.direction[:, :2].T.ravel())
        data.ImagePositionPatient = decimals(grid.to_world([0, 0, number]))
        data.InstanceNumber = number + 1
        data.PixelData = np.ascontiguousarray(pixels, dtype="<u2").tobytes()
        for name, value in elements.items():
            if value is not None:
                setattr(data, name, value)
        return data

    def save(self, data: Dataset, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data.save_as(path, enforce_file_format=True)
        return path

    def series(self, grid: Grid, voxels=None, *, name="", skip=(), **elements) -> Path:
        """A whole series in files whose names are in no order."""
        voxels = numbered_voxels(grid) if voxels is None else voxels
        order = np.random.default_rng(5).permutation(len(voxels))
        for file_number, number in enumerate(order):
            if number not in skip:
                data = self.slice_of(grid, voxels[number], int(number), **elements)
                self.save(data, f"{name}/{file_number:03d}.dcm" if name else f"{file_number:03d}")
        return self.folder

    def enhanced(self, grid: Grid, *, sop_class=ENHANCED_MR, order=None, **elements) -> Path:
        """One multi-frame file; `order` shuffles the frames."""
        voxels = numbered_voxels(grid)
        order = list(range(len(voxels))) if order is None else order
        data = self.header(sop_class, **elements)
        data.Rows, data.Columns, data.NumberOfFrames = *voxels.shape[1:], len(order)
        is_us = sop_class == ENHANCED_US
        kind = "Volume" if is_us else "Patient"
        shared, measures, orientation = Dataset(), Dataset(), Dataset()
        measures.PixelSpacing = decimals(grid.spacing_mm[[1, 0]])
        measures.SliceThickness = decimals([grid.spacing_mm[2]])[0]
        shared.PixelMeasuresSequence = Sequence([measures])
        cosines = grid.direction[:, :2].T.ravel()
        value = cosines.tolist() if is_us else decimals(cosines)
        setattr(orientation, f"ImageOrientation{kind}", value)
        setattr(shared, f"PlaneOrientation{kind if is_us else ''}Sequence", Sequence([orientation]))
        data.SharedFunctionalGroupsSequence = Sequence([shared])
        items = []
        for number in order:
            item, position = Dataset(), Dataset()
            place = grid.to_world([0, 0, number])
            setattr(position, f"ImagePosition{kind}", place.tolist() if is_us else decimals(place))
            setattr(item, f"PlanePosition{kind if is_us else ''}Sequence", Sequence([position]))
            items.append(item)
        data.PerFrameFunctionalGroupsSequence = Sequence(items)
        data.PixelData = np.ascontiguousarray(voxels[order], dtype="<u2").tobytes()
        if is_us:
            del data.FrameOfReferenceUID
            data.VolumeFrameOfReferenceUID = "1.2.3.8"
            data.Modality = "US"
        return self.save(data, "enhanced.dcm")

    def us_multiframe(self, shape=(9, 10, 12), **elements) -> Path:
        """A plain multi-frame US; no geometry but what `elements` say."""
        voxels = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
        data = self.header(US_MULTIFRAME, Modality="US", FrameOfReferenceUID=None, **elements)
        data.NumberOfFrames, data.Rows, data.Columns = shape
        data.PixelData = voxels.astype("<u2").tobytes()
        return self.save(data, "us.dcm")


@pytest.fixture
def write(tmp_path) -> SeriesWriter:
    """A writer into a fresh folder named "study"."""
    folder = tmp_path / "study"
    folder.mkdir()
    return SeriesWriter(folder)


@pytest.fixture
def grid() -> Grid:
    return oblique_grid()


@pytest.fixture(scope="session")
def pydicom_data() -> Path:
    return Path(pydicom.__file__).parent / "data" / "test_files"
