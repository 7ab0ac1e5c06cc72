"""DICOM: right, or refused with the reason; never silently wrong."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from fusioninit.errors import InputError, ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging import dicom_study
from fusioninit.imaging.reading import read_volume
from fusioninit.imaging.stated_geometry import StatedGeometry

MM = 1e-4


def read(path, space=Space.MR, **options):
    return read_volume(path, space=space, isolated=False, **options)


def refusal(path, space=Space.MR, **options) -> str:
    with pytest.raises(InputError) as caught:
        read(path, space, **options)
    return str(caught.value)


def assert_same_place(volume, grid: Grid) -> None:
    """Every voxel where the formula has it, within decimal strings' precision."""
    numbers = np.asarray(volume.voxels, dtype=np.int64)
    k, j, i = np.unravel_index(numbers, grid.shape)
    assert_allclose(volume.grid.points_mm(), grid.to_world(np.stack([i, j, k], -1)), atol=MM)


def test_a_regular_series_in_files_of_any_order_is_where_its_header_says(write, grid):
    volume = read(write.series(grid))
    assert volume.grid.shape == grid.shape
    assert_same_place(volume, grid)
    assert volume.source.warnings == ()
    assert volume.source.description == "series 4 't2_tse_tra'"
    assert volume.source.frame_of_reference_uid == "1.2.3.9"
    assert volume.source.study_date == "20260102"


def test_a_series_stored_from_top_to_bottom_comes_out_right_handed_and_in_place(write, grid):
    upside_down = Grid(grid.shape, grid.spacing_mm, grid.origin_mm, grid.direction * [1, 1, -1])
    volume = read(write.series(upside_down))
    assert not volume.grid.is_left_handed
    assert_same_place(volume, upside_down)


def test_highdicom_agrees_on_every_voxel(write, grid):
    import highdicom

    folder = write.series(grid)
    files = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    theirs = highdicom.image.get_volume_from_series(files)
    volume = read(folder)
    points = theirs.map_indices_to_reference(np.argwhere(np.ones(theirs.spatial_shape, bool)))
    index = np.round(volume.grid.to_index(points)).astype(int)
    assert_allclose(volume.grid.to_world(index), points, atol=1e-3)
    ours = volume.voxels[index[:, 2], index[:, 1], index[:, 0]]
    assert_array_equal(ours, theirs.array.ravel())


def test_missing_slices_are_refused_and_counted(write, grid):
    assert refusal(write.series(grid, skip=(4, 5))) == (
        "study, series 4 't2_tse_tra': 2 of 11 slices are missing (first gap after slice 4); "
        "copy the whole series"
    )


@pytest.mark.parametrize(
    ("skip", "numbers"), [((0, 1), "9 slices are numbered from 3 to 11"), ((10,), None)]
)
def test_slices_missing_at_an_end_are_guessed_from_their_numbers(write, grid, skip, numbers):
    """No gap shows them: of the last slice nothing is known unless the header counts."""
    warnings = read(write.series(grid, skip=skip)).source.warnings
    wanted = () if numbers is None else (f"its {numbers}: slices may be missing at an end",)
    assert warnings == wanted


def test_slices_missing_at_an_end_are_known_where_the_header_counts(write, grid):
    write.series(grid, skip=(10,), ImagesInAcquisition=11)
    assert read(write.folder).source.warnings == (
        "its header speaks of 11 images and 10 are here: slices may be missing at an end",
    )


def test_unevenly_spaced_slices_are_refused(write, grid):
    moved = grid.to_world([0, 0, 3.3])
    write.series(grid, skip=(3,))
    data = write.slice_of(grid, np.ones(grid.shape[1:], np.uint16), 3)
    data.ImagePositionPatient = [f"{value:.6f}" for value in moved]
    write.save(data, "moved.dcm")
    assert "unevenly spaced (2.17 to 4.03 mm)" in refusal(write.folder)


def test_gantry_tilt_is_refused_with_its_angle(write, grid):
    for number in range(grid.shape[0]):
        data = write.slice_of(grid, np.full(grid.shape[1:], number, np.uint16), number)
        shear = grid.to_world([0, 0, number]) + number * 0.6 * grid.direction[:, 1]
        data.ImagePositionPatient = [f"{value:.6f}" for value in shear]
        write.save(data, f"{number}.dcm")
    assert refusal(write.folder) == (
        "study, series 4 't2_tse_tra': its slices are shifted sideways (gantry tilt or shear, "
        "11.0 degrees); resample it to a regular grid first"
    )


def test_slices_at_impossible_positions_are_refused(write, grid):
    write.series(grid, skip=(10,))
    data = write.slice_of(grid, np.ones(grid.shape[1:], np.uint16), 10)
    data.ImagePositionPatient = ["1e300", "0", "0"]
    write.save(data, "far.dcm")
    assert refusal(write.folder).endswith("its slices lie at impossible positions; export it again")


def test_two_acquisitions_at_the_same_places_are_refused(write, grid):
    write.series(grid, name="a", AcquisitionNumber=1)
    write.series(grid, name="b", AcquisitionNumber=2)
    assert refusal(write.folder) == (
        "study, series 4 't2_tse_tra': 22 slices share 11 positions, so it holds several volumes "
        "(acquisition number 1, 2); export one of them as its own series"
    )


def test_two_acquisitions_that_interleave_regularly_are_refused(write, grid):
    between = Grid(grid.shape, grid.spacing_mm, grid.to_world([0, 0, 0.5]), grid.direction)
    write.series(grid, name="a", AcquisitionNumber=1)
    write.series(between, name="b", AcquisitionNumber=2)
    assert "slices of 2 acquisitions alternate (acquisition number 1, 2)" in refusal(write.folder)


def test_two_acquisitions_one_after_the_other_are_read_with_a_warning(write, grid):
    write.series(grid, name="a", AcquisitionNumber=1, skip=range(6, 11))
    write.series(grid, name="b", AcquisitionNumber=2, skip=range(6))
    volume = read(write.folder)
    assert_same_place(volume, grid)
    assert volume.source.warnings == (
        "its slices come from 2 acquisitions one after the other (acquisition number 1, 2); check "
        "that the patient did not move where they meet",
    )


def test_the_same_image_stored_twice_is_one_slice(write, grid):
    write.series(grid)
    for path in list(write.folder.iterdir()):
        (write.folder / "copy").mkdir(exist_ok=True)
        (write.folder / "copy" / path.name).write_bytes(path.read_bytes())
    assert_same_place(read(write.folder), grid)


def test_an_enhanced_mr_with_shuffled_frames_is_sorted_by_place(write, grid):
    order = np.random.default_rng(3).permutation(grid.shape[0]).tolist()
    assert_same_place(read(write.enhanced(grid, order=order)), grid)


def test_an_enhanced_mr_with_a_frame_missing_is_refused(write, grid):
    order = [k for k in range(grid.shape[0]) if k != 6]
    assert "1 of 11 slices are missing" in refusal(write.enhanced(grid, order=order))


def test_an_enhanced_file_damaged_within_its_frames_is_refused_or_spoken_of(write, grid):
    path = write.enhanced(grid)
    raw = path.read_bytes()
    position = b"\x20\x00\x32\x00DS"
    assert raw.count(position) == grid.shape[0]
    path.write_bytes(raw.replace(position, b"\x20\x00\x32\x00NO", 1))
    assert refusal(path) == "enhanced.dcm: its DICOM header is damaged; copy the file again"
    write.series(grid, name="whole", SeriesInstanceUID="1.7")
    volume = read(write.folder)
    assert volume.source.series_uid == "1.7"
    assert "1 DICOM file could not be read (enhanced.dcm)" in volume.source.warnings[0]


def test_an_enhanced_us_volume_is_read_in_its_own_frame_and_says_so(write, grid):
    path = write.enhanced(grid, sop_class="1.2.840.10008.5.1.4.1.1.6.2")
    volume = read(path, Space.US)
    assert_same_place(volume, grid)
    assert volume.source.warnings == (
        "its positions are in the ultrasound volume's own frame, not in patient directions; "
        "check left, right, front and back",
    )
    assert volume.source.frame_of_reference_uid == "1.2.3.8"
    assert volume.lacks_geometry
    assert not volume.with_stated_geometry(StatedGeometry(orientation="RAS")).lacks_geometry


def test_a_multiframe_us_without_voxel_size_asks_for_it(write):
    assert refusal(write.us_multiframe(), Space.US) == (
        "us.dcm, series 4 't2_tse_tra' states no complete voxel size; state it with its "
        "orientation, or export it with geometry"
    )


def test_a_multiframe_us_with_partial_voxel_size_asks_for_it(write):
    assert "states no complete voxel size" in refusal(
        write.us_multiframe(PixelSpacing=[0.3, 0.4]), Space.US
    )


def test_a_multiframe_us_takes_the_geometry_a_person_states(write):
    stated = StatedGeometry(spacing_mm=(0.4, 0.3, 0.5), orientation="RAS")
    volume = read(write.us_multiframe(), Space.US, stated=stated)
    assert_allclose(volume.grid.spacing_mm, [0.4, 0.3, 0.5])
    assert_array_equal(volume.grid.direction, np.diag([-1, -1, 1]))
    assert volume.source.warnings == ()


def test_a_multiframe_us_with_voxel_size_says_that_directions_are_unknown(write):
    path = write.us_multiframe(PixelSpacing=[0.3, 0.4], SpacingBetweenSlices=0.5)
    volume = read(path, Space.US)
    assert_allclose(volume.grid.spacing_mm, [0.4, 0.3, 0.5])
    assert volume.source.warnings == (
        "the file states no patient directions: its axes are taken as left, posterior, superior "
        "(multi-frame file); check the geometry before relying on any distance",
    )


def test_a_film_over_time_is_not_a_volume(write):
    path = write.us_multiframe(PixelSpacing=[0.3, 0.4], FrameTime=33)
    assert "is a film over time, not a volume" in refusal(path, Space.US)


def test_a_volume_that_also_states_a_frame_time_is_read_with_a_warning(write):
    path = write.us_multiframe(PixelSpacing=[0.3, 0.4], SliceThickness=0.5, FrameTime=33)
    assert read(path, Space.US).source.warnings[1] == (
        "it states a time per frame like a film; check that its frames are slices"
    )


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_what_pydicom_cannot_unpack_gdcm_does(tmp_path, grid, compressor):
    """JPEG lossless, the commonest compression of archives, has no decoder in pydicom alone."""
    voxels = np.arange(np.prod(grid.shape), dtype=np.uint16).reshape(grid.shape)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetUseCompression(True)
    writer.SetCompressor(compressor)
    for number in range(grid.shape[0]):
        image = sitk.GetImageFromArray(voxels[number : number + 1])
        image.SetSpacing(grid.spacing_mm.tolist())
        tags = {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
            "0008|0060": "MR",
            "0008|103e": "t2_tse_tra",
            "0020|000e": "1.2.3.4",
            "0020|000d": "1.2.3",
            "0008|0018": f"1.2.3.4.{number}",
            "0020|0032": "\\".join(f"{v:.8f}" for v in grid.to_world([0, 0, number])),
            "0020|0037": "\\".join(f"{v:.8f}" for v in grid.direction[:, :2].T.ravel()),
        }
        for tag, value in tags.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(tmp_path / f"{number}.dcm"))
        writer.Execute(image)
    syntax = pydicom.dcmread(tmp_path / "0.dcm").file_meta.TransferSyntaxUID
    assert syntax.is_compressed
    assert_same_place(read(tmp_path), grid)


def jpeg_lossless(voxels, folder):
    """Encapsulated pixels of (k, j, i) or (k, j, i, 3) voxels, and their transfer syntax."""
    writer = sitk.ImageFileWriter()
    writer.SetUseCompression(True)
    writer.SetCompressor("JPEG")
    writer.SetFileName(str(folder / "packed.dcm"))
    writer.Execute(sitk.GetImageFromArray(voxels, isVector=voxels.ndim == 4))
    packed = pydicom.dcmread(folder / "packed.dcm")
    assert packed.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.70"
    return packed.PixelData, packed.file_meta.TransferSyntaxUID


def test_jpeg_lossless_frames_are_rescaled_each_by_its_own_numbers(write, grid, tmp_path):
    path = write.enhanced(grid)
    data = pydicom.dcmread(path)
    for number, item in enumerate(data.PerFrameFunctionalGroupsSequence):
        values = Dataset()
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = number + 1, -7, "US"
        item.PixelValueTransformationSequence = Sequence([values])
    data.PixelData, data.file_meta.TransferSyntaxUID = jpeg_lossless(numbered(grid), tmp_path)
    data.save_as(path, enforce_file_format=True)
    slopes = np.arange(1, grid.shape[0] + 1)[:, None, None]
    assert_array_equal(read(path).voxels, numbered(grid) * slopes - 7)


def numbered(grid):
    return np.arange(np.prod(grid.shape), dtype=np.uint16).reshape(grid.shape)


@pytest.mark.parametrize("packed", [False, True])
def test_a_negative_image_becomes_positive_packed_or_not(write, tmp_path, packed):
    path = write.us_multiframe(PixelSpacing=[0.3, 0.4], SliceThickness=0.5)
    data = pydicom.dcmread(path)
    data.PhotometricInterpretation = "MONOCHROME1"
    voxels = data.pixel_array
    if packed:
        data.PixelData, data.file_meta.TransferSyntaxUID = jpeg_lossless(voxels, tmp_path)
    data.save_as(path, enforce_file_format=True)
    assert_array_equal(read(path, Space.US).voxels, voxels.max() - voxels)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("coloured", [False, True])
def test_grey_in_three_channels_is_grey_and_colour_is_refused(
    write, tmp_path, photometric, packed, coloured
):
    """Many ultrasound machines export grey so."""
    path = write.us_multiframe(PixelSpacing=[0.3, 0.4], SliceThickness=0.5)
    data = pydicom.dcmread(path)
    grey = (data.pixel_array % 256).astype(np.uint8)
    channels = (
        [grey, grey, grey] if photometric == "RGB" else [grey, *[np.full_like(grey, 128)] * 2]
    )
    if coloured:
        channels[2] = 255 - channels[2] // 2
    voxels = np.stack(channels, axis=-1)
    data.SamplesPerPixel, data.PhotometricInterpretation = 3, photometric
    data.PlanarConfiguration, data.BitsAllocated, data.BitsStored, data.HighBit = 0, 8, 8, 7
    data.PixelData = voxels.tobytes()
    if packed:
        data.PixelData, data.file_meta.TransferSyntaxUID = jpeg_lossless(voxels, tmp_path)
    data.save_as(path, enforce_file_format=True)
    if coloured:
        assert "is a colour image; choose a greyscale series" in refusal(path, Space.US)
    else:
        assert_array_equal(read(path, Space.US).voxels, grey)


def test_a_compression_that_nothing_here_unpacks_is_named(write):
    path = write.us_multiframe(PixelSpacing=[0.3, 0.4], SliceThickness=0.5)
    data = pydicom.dcmread(path)
    data.PixelData = pydicom.encaps.encapsulate([bytes(240)] * 9)
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
    data.save_as(path, enforce_file_format=True)
    assert "compression of us.dcm (High-Throughput JPEG 2000" in refusal(path, Space.US)


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"], ids=["RLE", "JPEG-LS"]
)
def test_compressed_slices_are_unpacked(write, grid, syntax):
    voxels = np.arange(np.prod(grid.shape), dtype=np.uint16).reshape(grid.shape)
    for number in range(grid.shape[0]):
        data = write.slice_of(grid, voxels[number], number)
        data.compress(syntax)
        write.save(data, f"{number}.dcm")
    assert_same_place(read(write.folder), grid)


def test_rescaling_is_applied_slice_by_slice(write, grid):
    for number in range(grid.shape[0]):
        pixels = np.full(grid.shape[1:], 10 + number, np.uint16)
        data = write.slice_of(grid, pixels, number, RescaleSlope=number + 1, RescaleIntercept=-5)
        write.save(data, f"{number}.dcm")
    values = read(write.folder).voxels[:, 0, 0]
    assert_allclose(values, [(10 + k) * (k + 1) - 5 for k in range(grid.shape[0])])


def test_cut_short_pixels_are_refused(write, grid):
    write.series(grid)
    victim = next(write.folder.iterdir())
    victim.write_bytes(victim.read_bytes()[:-100])
    assert refusal(write.folder).endswith("are damaged or cut short; copy the series again")


def test_a_header_that_claims_more_than_the_file_holds_is_refused_before_allocation(write, grid):
    data = write.slice_of(grid, np.ones(grid.shape[1:], np.uint16), 0)
    data.Rows, data.Columns, data.NumberOfFrames = 60_000, 60_000, 500
    path = write.save(data, "huge.dcm")
    stated = StatedGeometry(spacing_mm=(1, 1, 1))
    assert "1800000 million voxels, too many; crop it" in refusal(path, stated=stated)


def test_one_slice_of_a_series_opens_the_whole_series(write, grid):
    write.series(grid)
    write.series(grid, name="other", SeriesInstanceUID="1.2.3.5", SeriesDescription="other")
    assert_same_place(read(write.folder / "003"), grid)


def test_a_lone_slice_is_refused(write, grid):
    path = write.save(write.slice_of(grid, np.eye(13, 17).astype(np.uint16), 0), "one.dcm")
    assert refusal(path) == (
        "one.dcm, series 4 't2_tse_tra' has 1 of the at least 3 slices of a volume; "
        "choose the folder with the whole series"
    )


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "odd").write_bytes(b"not DICOM either")
    assert refusal(tmp_path) == (
        f"{tmp_path.name}: the folder holds no DICOM image; choose another folder"
    )


def test_a_text_file_named_dcm_is_refused(tmp_path):
    path = tmp_path / "scan.dcm"
    path.write_text("this is not an image")
    assert refusal(path) == "scan.dcm is not a DICOM image; choose another file or a folder"


def test_a_colour_series_is_refused(write, grid):
    for number in range(3):
        data = write.slice_of(grid, np.ones((5, 7), np.uint16), number)
        data.SamplesPerPixel, data.PhotometricInterpretation = 3, "RGB"
        data.PlanarConfiguration, data.BitsAllocated, data.BitsStored, data.HighBit = 0, 8, 8, 7
        pixels = np.random.default_rng(number).integers(0, 255, (5, 7, 3), dtype=np.uint8)
        data.PixelData = pixels.tobytes() + b"\0"
        write.save(data, f"{number}.dcm")
    assert "is a colour image; choose a greyscale series" in refusal(write.folder)


def test_patients_are_told_apart_without_their_names(write, grid, tmp_path):
    write.series(grid, name="a")
    write.series(grid, name="b", SeriesInstanceUID="1.9", PatientID="x", PatientName="Other^Person")
    first = read(write.folder / "a").source
    second = read(write.folder / "b").source
    assert first.patient_key != second.patient_key
    assert len(first.patient_key) == 12
    assert "Synthetic" not in repr(first)


def study(write, grid):
    """Localizer, sagittal and axial T2, DWI and ADC, as they come from a scanner."""
    sagittal = Grid(
        (9, 13, 17), [0.6, 0.6, 3], [0, 0, 0], np.array([[0, 0, 1.0], [1, 0, 0], [0, -1, 0]])
    )
    write.series(sagittal, name="1", SeriesInstanceUID="1.1", SeriesDescription="t2_tse_sag")
    coarse = Grid((12, 13, 17), [2, 2, 3], grid.origin_mm, grid.direction)
    kinds = {
        "2": ("1.2", "ep2d_diff_tra", ["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"]),
        "3": ("1.3", "ADC", ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]),
    }
    for name, (uid, text, image_type) in kinds.items():
        write.series(
            coarse, name=name, SeriesInstanceUID=uid, SeriesDescription=text, ImageType=image_type
        )
    write.series(sagittal, name="4", SeriesInstanceUID="1.4", SeriesDescription="localizer")
    write.series(
        Grid((5, 13, 17), [1, 1, 5]), name="4b", SeriesInstanceUID="1.4",
        SeriesDescription="localizer",
    )  # fmt: skip
    return write.folder


def test_of_a_study_the_axial_t2_is_taken_and_the_rest_is_listed(write, grid):
    study(write, grid)
    write.series(grid, name="5", SeriesInstanceUID="1.5", SeriesNumber=7)
    source = read(write.folder).source
    assert source.series_uid == "1.5"
    assert source.details["chosen"] == (
        "series 7 't2_tse_tra': MR, 11 slices, axial (the axial T2)"
    )
    assert len(source.details["others"]) == 4
    assert source.warnings == ()


def test_without_an_axial_t2_the_nearest_is_taken_with_a_warning(write, grid):
    source = read(study(write, grid)).source
    assert source.series_uid == "1.1"
    assert source.warnings[0].startswith("no axial T2 series was found: series 4 't2_tse_sag'")


def test_two_equal_axial_t2_series_are_named(write, grid):
    write.series(grid, name="a", SeriesInstanceUID="1.5", SeriesNumber=5)
    write.series(grid, name="b", SeriesInstanceUID="1.6", SeriesNumber=6)
    assert read(write.folder).source.warnings == (
        "series 5 't2_tse_tra' was taken, and series 6 't2_tse_tra' would serve as well; "
        "choose by series if you mean another",
    )


def test_a_t2_without_a_telling_name_is_known_by_its_echo_time(write, grid):
    write.series(
        grid, name="a", SeriesInstanceUID="1.5", SeriesDescription="AX 3mm", EchoTime=100,
        RepetitionTime=4000, ScanningSequence="SE",
    )  # fmt: skip
    write.series(
        grid, name="b", SeriesInstanceUID="1.6", SeriesDescription="AX thin", EchoTime=4,
        RepetitionTime=300, ScanningSequence="GR",
    )  # fmt: skip
    assert read(write.folder).source.series_uid == "1.5"


def test_the_series_asked_for_is_read_and_an_unknown_one_is_refused(write, grid):
    study(write, grid)
    assert read(write.folder, series_uid="1.3").source.description == "series 4 'ADC'"
    assert refusal(write.folder, series_uid="9.9").startswith("study holds no series 9.9; choose")


def test_a_broken_axial_t2_is_refused_and_nothing_else_stands_in(write, grid):
    study(write, grid)
    write.series(grid, name="5", SeriesInstanceUID="1.5", skip=(4,))
    assert "1 of 11 slices are missing" in refusal(write.folder)


def test_an_mr_opened_as_us_says_what_its_header_says(write, grid):
    assert read(write.series(grid), Space.US).source.warnings == (
        "its header says MR, and it was opened as US; check the choice",
    )


def test_read_errors_are_input_errors():
    assert issubclass(ReadError, InputError)


def test_a_folder_of_two_patients_is_refused_until_one_series_is_named(write, grid):
    write.series(grid, name="a")
    write.series(grid, name="b", SeriesInstanceUID="1.9", PatientID="2", PatientName="Other")
    assert refusal(write.folder) == (
        "study holds images of 2 patients; choose the folder of one patient"
    )
    assert read(write.folder, series_uid="1.9").source.series_uid == "1.9"


def test_of_two_studies_the_newer_is_taken_and_says_so(write, grid):
    write.series(grid, name="a", SeriesInstanceUID="1.5", StudyDate="20251224")
    write.series(grid, name="b", SeriesInstanceUID="1.6", StudyDate="20260102")
    source = read(write.folder).source
    assert source.series_uid == "1.6"
    assert source.warnings == ("taken from the study of 20260102; others are of 20251224",)


def test_the_small_field_of_view_is_preferred_to_the_pelvis_without_a_tie(write, grid):
    pelvis = Grid(grid.shape, grid.spacing_mm * 2, grid.origin_mm, grid.direction)
    write.series(pelvis, name="a", SeriesInstanceUID="1.5")
    write.series(grid, name="b", SeriesInstanceUID="1.6")
    source = read(write.folder).source
    assert source.series_uid == "1.6"
    assert source.warnings == ()


@pytest.mark.parametrize(
    ("text", "is_t2"),
    [
        ("sT2W_TSE_ax", True),
        ("AX T2 FRFSE 3mm", True),
        ("t2_spc_tra_iso", True),
        ("T2 AXIAL SMALL FOV", True),
        ("t2*_map", False),
        ("T2_STAR", False),
        ("t1_tse_tra", False),
        ("ep2d_diff_b1400", False),
        ("AX LAVA DYNAMIC", False),
        ("ADC (10^-6 mm2/s)", False),
    ],
)
def test_t2_is_known_by_the_names_that_scanners_give(write, grid, text, is_t2):
    write.series(Grid((4, 5, 6)), SeriesDescription=text)
    warned = any("no axial T2" in warning for warning in read(write.folder).source.warnings)
    assert warned != is_t2


def test_a_damaged_end_slice_is_spoken_of(write, grid):
    write.series(grid)
    last = max(write.folder.iterdir(), key=lambda file: pydicom.dcmread(file).InstanceNumber)
    raw = last.read_bytes()
    last.write_bytes(raw[:140] + b"\xff" * 40 + raw[180:])
    volume = read(write.folder)
    assert volume.grid.shape[0] == grid.shape[0] - 1
    assert volume.source.warnings == (
        f"1 DICOM file could not be read ({last.name}): slices may be missing at an end",
    )


def test_a_folder_of_countless_files_is_refused_before_it_is_looked_through(
    write, grid, monkeypatch
):
    monkeypatch.setattr(dicom_study, "MAX_FILES", 5)
    assert refusal(write.series(grid)) == (
        "study holds more than 5 files; choose the patient's own folder"
    )
