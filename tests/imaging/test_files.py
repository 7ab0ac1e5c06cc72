"""NIfTI, NRRD and MetaImage: the right place and values, or one sentence saying why not."""

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from fusioninit.errors import InputError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.reading import read_mask, read_volume
from fusioninit.imaging.stated_geometry import StatedGeometry

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
RAS_FROM_LPS = np.diag([-1.0, -1, 1, 1])


def read(path, **options):
    return read_volume(path, space=Space.MR, isolated=False, **options)


def refusal(path, reader=read, **options) -> str:
    with pytest.raises(InputError) as caught:
        reader(path, **options)
    return str(caught.value)


def save(path, grid: Grid, voxels: np.ndarray):
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(grid.spacing_mm.tolist())
    image.SetOrigin(grid.origin_mm.tolist())
    image.SetDirection(grid.direction.ravel().tolist())
    sitk.WriteImage(image, str(path), useCompression=path.suffix in (".nrrd", ".mha"))
    return path


def numbered(grid: Grid) -> np.ndarray:
    return np.arange(np.prod(grid.shape), dtype=np.int16).reshape(grid.shape)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("left_handed", [False, True])
def test_an_oblique_volume_is_where_it_was_written(tmp_path, grid, suffix, left_handed):
    if left_handed:
        grid = Grid(grid.shape, grid.spacing_mm, grid.origin_mm, grid.direction * [1, -1, 1])
    volume = read(save(tmp_path / f"scan{suffix}", grid, numbered(grid)))
    assert_allclose(volume.grid.corners_mm(), grid.corners_mm(), atol=1e-3)
    assert volume.grid.is_left_handed == left_handed
    assert_array_equal(volume.voxels, numbered(grid))
    assert volume.source.warnings == ()


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair])
def test_nibabel_and_we_agree_on_every_corner(tmp_path, grid, kind):
    affine = RAS_FROM_LPS @ grid.world_from_index
    image = kind(numbered(grid).transpose(2, 1, 0), affine)
    path = tmp_path / ("scan.img" if kind is nib.Nifti1Pair else "scan.nii.gz")
    nib.save(image, path)
    volume = read(path.with_suffix(".hdr") if kind is nib.Nifti1Pair else path)
    assert_allclose(volume.grid.corners_mm(), grid.corners_mm(), atol=1e-3)
    assert_array_equal(volume.voxels, numbered(grid))


def test_a_big_endian_nifti_arrives_in_native_byte_order(tmp_path, grid):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    image = nib.Nifti1Image(numbered(grid).transpose(2, 1, 0), np.eye(4), header)
    nib.save(image, tmp_path / "scan.nii")
    assert (tmp_path / "scan.nii").read_bytes()[:4] == struct.pack(">i", 348)
    volume = read(tmp_path / "scan.nii")
    assert volume.voxels.dtype == np.dtype("=i2")
    assert_array_equal(volume.voxels, numbered(grid))


def test_nifti_scaling_is_applied(tmp_path, grid):
    image = nib.Nifti1Image(numbered(grid).transpose(2, 1, 0), np.eye(4))
    image.header.set_slope_inter(0.5, 100)
    nib.save(image, tmp_path / "scan.nii")
    stored = nib.load(tmp_path / "scan.nii").get_fdata().transpose(2, 1, 0)
    assert_allclose(read(tmp_path / "scan.nii").voxels, stored, rtol=1e-6)


def test_a_nifti_without_orientation_says_so(tmp_path, grid):
    image = nib.Nifti1Image(numbered(grid).transpose(2, 1, 0), None)
    image.header["pixdim"][1:4] = 1
    image.header["qform_code"] = image.header["sform_code"] = 0
    nib.save(image, tmp_path / "scan.nii")
    warnings = read(tmp_path / "scan.nii").source.warnings
    assert warnings == (
        "the file states no patient directions: its axes are taken as left, posterior, superior "
        "(qform and sform codes are 0); check the geometry before relying on any distance",
        "the file states no voxel size: 1 mm is taken; "
        "check the geometry before relying on any distance",
    )


def test_what_a_person_states_replaces_the_guess_and_its_warning(tmp_path, grid):
    image = nib.Nifti1Image(numbered(grid).transpose(2, 1, 0), None)
    image.header["qform_code"] = image.header["sform_code"] = 0
    nib.save(image, tmp_path / "scan.nii")
    stated = StatedGeometry(spacing_mm=(0.5, 0.6, 0.7), orientation="LSA")
    volume = read(tmp_path / "scan.nii", stated=stated)
    assert_allclose(volume.grid.spacing_mm, [0.5, 0.6, 0.7])
    assert_array_equal(volume.grid.direction, [[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    assert volume.source.warnings == ()


def test_a_nifti_whose_two_places_disagree_says_so(tmp_path, grid):
    image = nib.Nifti1Image(numbered(grid).transpose(2, 1, 0), np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 12
    image.set_qform(np.eye(4), 1)
    image.set_sform(moved, 2)
    nib.save(image, tmp_path / "scan.nii")
    assert "its sform and qform disagree by up to 12.0 mm" in " ".join(
        read(tmp_path / "scan.nii").source.warnings
    )


def test_an_nrrd_without_space_and_a_metaimage_without_matrix_say_so(tmp_path):
    data = np.arange(60, dtype=np.uint8).tobytes()
    nrrd, mha = tmp_path / "a.nrrd", tmp_path / "a.mha"
    nrrd.write_bytes(b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 3 4 5\nencoding: raw\n\n" + data)
    mha.write_bytes(
        b"ObjectType = Image\nNDims = 3\nDimSize = 3 4 5\nElementType = MET_UCHAR\n"
        b"ElementDataFile = LOCAL\n" + data
    )
    for path in (nrrd, mha):
        warnings = read(path).source.warnings
        assert [text.split(":")[0] for text in warnings] == [
            "the file states no patient directions",
            "the file states no voxel size",
        ]


NRRD = (
    b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 3 4 5\nencoding: raw\n"
    b"space: left-posterior-superior\nspace directions: (2,0,0) (0,2,0) (0,0,3)\n"
)
MHA = (
    b"ObjectType = Image\nNDims = 3\nDimSize = 3 4 5\nElementType = MET_UCHAR\n"
    b"TransformMatrix = 1 0 0 0 1 0 0 0 1\nElementSpacing = 2 2 3\n"
)
SIXTY = np.arange(60, dtype=np.uint8).tobytes()


@pytest.mark.parametrize("space", ["left-posterior-superior", "RAS", "left-anterior-superior"])
def test_an_nrrd_in_any_patient_space_lands_in_lps(tmp_path, space):
    path = tmp_path / "a.nrrd"
    header = NRRD.replace(b"left-posterior-superior", space.encode())
    path.write_bytes(header + b"space origin: (10,20,30)\n\n" + SIXTY)
    flip = {"left-posterior-superior": [1, 1, 1], "RAS": [-1, -1, 1]}.get(space, [1, -1, 1])
    volume = read(path)
    assert_allclose(volume.grid.origin_mm, np.multiply([10, 20, 30], flip))
    assert_allclose(volume.grid.direction, np.diag(flip))
    assert volume.source.warnings == ()


def test_lengths_in_other_units_than_mm_are_refused(tmp_path):
    nrrd, mha = tmp_path / "a.nrrd", tmp_path / "a.mha"
    nrrd.write_bytes(NRRD + b'space units: "cm" "cm" "cm"\n\n' + SIXTY)
    mha.write_bytes(MHA + b"DistanceUnits = um\nElementDataFile = LOCAL\n" + SIXTY)
    assert refusal(nrrd) == (
        "a.nrrd states its lengths in 'cm', which most programs take for mm; save it in mm"
    )
    assert "a.mha states its lengths in 'um'" in refusal(mha)
    nrrd.write_bytes(NRRD + b'space units: "mm" "mm" "mm"\n\n' + SIXTY)
    mha.write_bytes(MHA + b"DistanceUnits = mm\nElementDataFile = LOCAL\n" + SIXTY)
    for path in (nrrd, mha):
        assert_allclose(read(path).grid.spacing_mm, [2, 2, 3])


@pytest.mark.parametrize(
    "wrong",
    [
        b"space directions: (2,0,0) (0,2,0) (0,0,3) (0,0,3)\n",
        b"dimension: 4\n",
        b"space directions: (2,0,0) (0,2,0) (0,0,3) (2,0\n",
        b"space directions: (2,0,0,2,0,0,2,0,0,2,0,0) (0,2,0) (0,0,3)\n",
    ],
)
def test_an_nrrd_header_that_contradicts_itself_is_refused(tmp_path, wrong):
    path = tmp_path / "a.nrrd"
    path.write_bytes(NRRD + wrong + b"\n" + SIXTY)
    assert refusal(path) == ("a.nrrd: its NRRD header contradicts itself; export the image again")


def test_an_nrrd_header_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "a.nrrd"
    path.write_bytes(NRRD + b"spac\0\0\0ions: (2,0,0) (0,2,0) (0,0,3)\n\n" + SIXTY)
    assert refusal(path) == "a.nrrd: its NRRD header is damaged; export the image again"


@pytest.mark.parametrize("dimensions", [b"-1", b"2", b"4", b"three"])
def test_a_metaimage_header_that_contradicts_itself_is_refused(tmp_path, dimensions):
    path = tmp_path / "a.mha"
    header = MHA.replace(b"NDims = 3", b"NDims = " + dimensions)
    path.write_bytes(header + b"ElementDataFile = LOCAL\n" + SIXTY)
    assert refusal(path) == "a.mha: its header contradicts itself; export the image again"


def test_an_nrrd_axis_of_colours_or_vectors_is_refused(tmp_path):
    path = tmp_path / "a.nrrd"
    header = NRRD.split(b"space:")[0] + b"kinds: RGB-color domain domain\n\n"
    path.write_bytes(header + SIXTY)
    assert refusal(path) == (
        "a.nrrd has several values per voxel ('rgb-color'); choose a greyscale volume"
    )


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_a_geometry_at_its_defaults_is_spoken_of_and_asked_for(tmp_path, grid, suffix):
    """A program that knows no geometry writes one all the same."""
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(numbered(grid)), str(path))
    volume = read(path)
    assert volume.source.warnings == (
        "its geometry is what programs write that know none (voxels of 1 mm, the first at 0, 0, "
        "0, no rotation): size and directions may be lost; check the geometry before relying on "
        "any distance",
    )
    assert volume.lacks_geometry
    half = volume.with_stated_geometry(StatedGeometry(orientation="RAS"))
    assert half.lacks_geometry
    assert half.source.warnings == volume.source.warnings
    whole = half.with_stated_geometry(StatedGeometry(spacing_mm=(0.5, 0.6, 0.7)))
    assert not whole.lacks_geometry
    assert whole.source.warnings == ()


@pytest.mark.parametrize("suffix", [".nii", ".nrrd", ".mha"])
def test_voxels_that_are_no_numbers_become_dark_and_are_counted(tmp_path, grid, suffix):
    voxels = numbered(grid).astype(np.float32)
    voxels[2, 3, 4] = np.nan
    volume = read(save(tmp_path / f"scan{suffix}", grid, voxels))
    assert volume.voxels[2, 3, 4] == 0
    assert volume.source.warnings == (
        "1 voxels were not numbers and are shown as the darkest value",
    )


def _nifti_bytes(sizes, *, data=b"", datatype=4, bits=16) -> bytes:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(sizes), *sizes, *[1] * (7 - len(sizes)))
    struct.pack_into("<2h", header, 70, datatype, bits)
    struct.pack_into("<8f", header, 76, *[1.0] * 8)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    return bytes(header) + data


def test_missing_file(tmp_path):
    assert refusal(tmp_path / "gone.nii") == (
        "gone.nii: no such file or folder; choose an existing image"
    )


def test_text_named_nii(tmp_path):
    path = tmp_path / "notes.nii"
    path.write_text("patient notes " * 100)
    assert refusal(path) == (
        "notes.nii is not a NIfTI (.nii, .nii.gz), NRRD (.nrrd), MetaImage (.mha, .mhd) or DICOM "
        "image, whatever its name; choose another file"
    )


def test_empty_file(tmp_path):
    (tmp_path / "empty.nii").touch()
    assert refusal(tmp_path / "empty.nii") == (
        "empty.nii is empty; copy it again or choose another file"
    )


def test_two_dimensional_image(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.eye(6, 7)), str(tmp_path / "flat.nii"))
    assert refusal(tmp_path / "flat.nii") == "flat.nii is a 2D image (7 x 6); choose a 3D volume"


def test_single_slice_volume(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((1, 6, 7))), str(tmp_path / "flat.nrrd"))
    assert refusal(tmp_path / "flat.nrrd") == (
        "flat.nrrd is a 2D image (7 x 6 x 1); choose a 3D volume"
    )


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_several_volumes_in_one_file(tmp_path, suffix):
    series = sitk.JoinSeries([sitk.GetImageFromArray(np.ones((3, 4, 5)))] * 2)
    sitk.WriteImage(series, str(tmp_path / f"time{suffix}"))
    assert refusal(tmp_path / f"time{suffix}") == (
        f"time{suffix} has 4 dimensions (5 x 4 x 3 x 2), so several volumes; "
        "save the one you want as a 3D file"
    )


@pytest.mark.parametrize("suffix", [".nii", ".nrrd", ".mha"])
def test_several_values_per_voxel(tmp_path, suffix):
    image = sitk.GetImageFromArray(np.ones((3, 4, 5, 3), np.uint8), isVector=True)
    sitk.WriteImage(image, str(tmp_path / f"rgb{suffix}"))
    sentence = refusal(tmp_path / f"rgb{suffix}")
    assert sentence.startswith(f"rgb{suffix} has ")
    assert "choose a greyscale volume" in sentence or "so several volumes" in sentence


def test_constant_and_not_a_number_images(tmp_path):
    for name, value, reason in (
        ("flat", 7.0, "has the same value (7.0) in every voxel; export the image again"),
        ("nan", np.nan, "holds no finite number; export the image again"),
    ):
        path = tmp_path / f"{name}.nii"
        sitk.WriteImage(sitk.GetImageFromArray(np.full((3, 4, 5), value)), str(path))
        assert refusal(path) == f"{name}.nii {reason}"


def test_header_that_claims_more_than_is_read(tmp_path):
    path = tmp_path / "huge.nii"
    path.write_bytes(_nifti_bytes((30_000, 30_000, 30_000)))
    assert refusal(path) == (
        "huge.nii: its header claims 30000 x 30000 x 30000 voxels (54000.0 GB), more than the "
        "1.1 GB that are read; crop it to the prostate"
    )


@pytest.mark.parametrize("packed", [False, True])
def test_header_that_claims_more_than_the_file_holds(tmp_path, packed):
    raw = _nifti_bytes((10, 11, 12), data=bytes(1000))
    path = tmp_path / ("short.nii.gz" if packed else "short.nii")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert refusal(path) == (
        f"{path.name} is cut short: its header claims 2640 bytes of voxels and the file holds "
        "1000; copy it again"
    )


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_truncated_file(tmp_path, grid, suffix):
    path = save(tmp_path / f"scan{suffix}", grid, numbered(grid))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert refusal(path).startswith(f"scan{suffix} is ")


def test_negative_and_zero_sizes(tmp_path):
    for sizes in ((0, 5, 6), (-4, 5, 6)):
        path = tmp_path / "odd.nii"
        path.write_bytes(_nifti_bytes(sizes, data=bytes(500)))
        assert "voxels; export the image again" in refusal(path)


def test_data_file_that_is_missing_or_elsewhere(tmp_path):
    header = (
        "ObjectType = Image\nNDims = 3\nDimSize = 3 4 5\nElementType = MET_UCHAR\n"
        "ElementDataFile = {}\n"
    )
    path = tmp_path / "a.mhd"
    path.write_text(header.format("a.raw"))
    assert refusal(path) == ("a.mhd: its data file 'a.raw' is missing; put it beside the header")
    path.write_text(header.format("long" * 100))
    assert refusal(path) == "a.mhd: its header names no usable data file; export it again"
    path.write_text(header.format("../../secret.raw"))
    assert "points to several files or to another folder" in refusal(path)


def test_analyze_is_refused_because_it_has_no_directions(tmp_path, grid):
    nib.save(nib.AnalyzeImage(numbered(grid), np.eye(4)), tmp_path / "scan.img")
    assert refusal(tmp_path / "scan.hdr").startswith("scan.hdr is in Analyze 7.5")


def test_a_sheared_nifti_is_refused(tmp_path, grid):
    affine = np.eye(4)
    affine[0, 1] = 0.4
    image = nib.Nifti1Image(numbered(grid), None)
    image.set_sform(affine, 1)
    image.header["qform_code"] = 0
    nib.save(image, tmp_path / "scan.nii")
    assert refusal(tmp_path / "scan.nii") == (
        "scan.nii: its axes are sheared or not perpendicular; resample it to a regular grid first"
    )


def test_a_mask_is_ones_inside_and_of_a_4d_file_the_channel_asked_for(tmp_path, grid):
    labels = np.zeros((2, *grid.shape), np.uint8)
    labels[0, 2:5, 3:6, 4:9] = 1
    labels[1, 7, 8, 9] = 1
    image = nib.Nifti1Image(labels.transpose(3, 2, 1, 0), RAS_FROM_LPS @ grid.world_from_index)
    nib.save(image, tmp_path / "case000001.nii.gz")
    for channel in (0, 1):
        mask = read_mask(
            tmp_path / "case000001.nii.gz", space=Space.US, channel=channel, isolated=False
        )
        assert_array_equal(mask.voxels, labels[channel])
        assert_allclose(mask.grid.corners_mm(), grid.corners_mm(), atol=1e-3)
    assert (
        refusal(
            tmp_path / "case000001.nii.gz", read_mask, space=Space.US, channel=2, isolated=False
        )
        == "case000001.nii.gz has channels 0 to 1; channel 2 is not there"
    )


def test_an_empty_mask_is_refused(tmp_path, grid):
    path = save(tmp_path / "gland.nii", grid, np.zeros(grid.shape, np.uint8))
    assert refusal(path, read_mask, space=Space.MR, isolated=False) == (
        "gland.nii: nothing is labelled in it; choose the gland's mask"
    )
