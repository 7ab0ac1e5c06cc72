"""The TCIA layout on files written here: the collection itself was not at hand."""

from itertools import permutations

import numpy as np
import pydicom
import pytest
from dataset_files import (
    GRID,
    RADII_MM,
    US_SPACING_MM,
    centre_of,
    gland_mask,
    us_scene,
    write_stl,
    write_tcia,
)

from fusioninit.detection.normalise import InputGrid
from fusioninit.errors import InputError, ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.stl_files import read_stl
from fusioninit.imaging.surfaces import surface_triangles
from fusioninit.imaging.volume import Volume
from fusioninit.training.datasets.prepare import prepare
from fusioninit.training.datasets.stl_surface import enclosed, outward_normals
from fusioninit.training.datasets.tcia import list_tcia
from fusioninit.training.datasets.us_axes import header_spacing_mm, with_axes_of_surface

INPUT = InputGrid((32, 34, 36), 2.0)


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    return write_tcia(tmp_path_factory.mktemp("tcia"), 2)


def overlap(image, gland):
    """Dice of the bright part of an image and a gland."""
    bright = image.astype(float) > image.max() * 0.55
    inside = gland > 127
    return 2 * (bright & inside).sum() / (bright.sum() + inside.sum())


def test_each_surface_of_the_gland_names_its_own_series(collection):
    for space, count in ((Space.MR, 26), (Space.US, 1)):
        listing = list_tcia(collection, space)
        assert listing.bad == ()
        assert [case.patient for case in listing.cases] == [
            "Prostate-MRI-US-Biopsy-0001",
            "Prostate-MRI-US-Biopsy-0002",
        ]
        for case in listing.cases:
            assert case.series_uid in case.surface.name
            assert "ProstateSurface" in case.surface.name
            assert case.image.is_dir() == (count > 1)


@pytest.mark.parametrize("space", [Space.MR, Space.US])
def test_image_and_surface_meet_on_the_networks_grid(collection, space):
    case = prepare(list_tcia(collection, space).cases[0], space, INPUT, isolated=False)
    assert case.gland_known
    assert overlap(case.image, case.gland) > 0.93
    assert np.isfinite(case.sd_mm).all()
    assert case.position_mm[0][2] < -10 < 10 < case.position_mm[1][2]


def test_a_surface_without_its_series_is_named(tmp_path):
    mask = gland_mask(GRID, centre_of(0))
    write_stl(tmp_path / "STLs" / "A-1-ProstateSurface-seriesUID-1.2.3.STL", mask, GRID)
    (row,) = list_tcia(tmp_path, Space.MR).bad
    assert str(row) == (
        "STLs/A-1-ProstateSurface-seriesUID-1.2.3.STL: no DICOM file of its series below the "
        "folder; download the series"
    )


def test_a_folder_of_another_layout_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"so not the tcia layout; unpack the collection's STL"):
        list_tcia(tmp_path, Space.MR)
    with pytest.raises(InputError, match=r"no such folder; datasets.sets names it as tcia"):
        list_tcia(tmp_path / "none", Space.MR)


@pytest.mark.parametrize("stored", list(permutations(range(3))))
def test_the_axes_of_a_us_file_are_found_from_the_surface(stored):
    voxels, mask, grid = us_scene(2)
    vertices, triangles = surface_triangles(mask, grid)
    turned = voxels.transpose(stored)
    volume = Volume(turned, Grid.centred(turned.shape, US_SPACING_MM), Space.US)
    found = with_axes_of_surface(volume, vertices[triangles])
    assert found.grid.shape == grid.shape
    assert np.array_equal(found.voxels, voxels)


def test_the_stored_order_stands_where_no_other_is_clearly_better():
    grid = Grid.centred((40, 40, 40), US_SPACING_MM)
    mask = gland_mask(grid, np.zeros(3), np.full(3, 20.0))
    voxels = 10 + 100 * mask + np.random.default_rng(0).normal(0, 5, mask.shape)
    vertices, triangles = surface_triangles(mask, grid)
    volume = Volume(voxels, grid, Space.US)
    assert np.array_equal(with_axes_of_surface(volume, vertices[triangles]).voxels, voxels)


def test_a_surface_outside_the_us_image_is_refused_with_the_remedy(tmp_path):
    voxels, mask, grid = us_scene(1)
    vertices, triangles = surface_triangles(mask, grid)
    with pytest.raises(ReadError) as refusal:
        with_axes_of_surface(Volume(voxels, grid, Space.US), vertices[triangles] + [0, 0, 60])
    assert str(refusal.value) == (
        "the surface lies outside the image in every order of its axes; check that both are of one "
        "series"
    )


def test_the_voxel_size_is_the_makers_own_else_the_aspect_ratios(collection):
    case = list_tcia(collection, Space.US).cases[0]
    assert header_spacing_mm(case.image) == (US_SPACING_MM,) * 3
    data = pydicom.dcmread(case.image)
    del data[0x1129, 0x1016]
    other = case.image.parent.parent / "ratio.dat"
    data.PixelAspectRatio = [360, 360]
    data.save_as(other)
    assert header_spacing_mm(other) == (0.36,) * 3
    del data.PixelAspectRatio
    data.save_as(other)
    assert header_spacing_mm(other) is None


def ellipsoid(grid=GRID):
    mask = gland_mask(grid, centre_of(1))
    vertices, triangles = surface_triangles(mask, grid)
    return vertices[triangles]


def test_the_enclosed_mask_is_the_ellipsoid(tmp_path):
    fine = Grid.centred((50, 60, 70), 1.0)
    mask = gland_mask(fine, np.zeros(3))
    vertices, triangles = surface_triangles(mask, fine)
    found = enclosed(vertices[triangles], Space.MR)
    volume_ml = found.voxels.sum() * np.prod(found.grid.spacing_mm) / 1000
    assert volume_ml == pytest.approx(4 / 3 * np.pi * RADII_MM.prod() / 1000, rel=0.03)
    inside = gland_mask(found.grid, np.zeros(3))
    assert 2 * (inside & (found.voxels > 0)).sum() / (inside.sum() + found.voxels.sum()) > 0.98


def test_binary_and_text_stl_read_the_same(tmp_path):
    path = write_stl(tmp_path / "a.STL", gland_mask(GRID, centre_of(1)), GRID)
    triangles = read_stl(path)
    assert np.allclose(triangles, ellipsoid(), atol=1e-4)
    lines = ["solid gland"]
    for corners in triangles[:7]:
        rows = [f"vertex {x!r} {y!r} {z!r}" for x, y, z in corners.tolist()]
        lines += ["facet normal 0 0 0", "outer loop", *rows, "endloop", "endfacet"]
    (tmp_path / "b.stl").write_text("\n".join([*lines, "endsolid gland"]))
    assert np.array_equal(read_stl(tmp_path / "b.stl"), triangles[:7])


@pytest.mark.parametrize("content", [b"", b"solid nothing\nendsolid", bytes(84), bytes(300)])
def test_a_file_without_triangles_is_refused(tmp_path, content):
    (tmp_path / "a.stl").write_bytes(content)
    with pytest.raises(ReadError) as refusal:
        read_stl(tmp_path / "a.stl")
    assert str(refusal.value) == "a.stl holds no triangles of an STL surface; save it again as STL"


def test_a_surface_with_a_hole_is_refused():
    with pytest.raises(ValueError, match=r"^the surface is not closed; repair it$"):
        enclosed(ellipsoid()[40:], Space.MR)


@pytest.mark.parametrize("turned", [False, True])
def test_normals_point_outwards_whichever_way_the_corners_turn(turned):
    triangles = ellipsoid()[:, ::-1] if turned else ellipsoid()
    middles, normals = outward_normals(triangles)
    assert ((middles - centre_of(1)) * normals).sum(1).min() > 0
    assert np.allclose(np.linalg.norm(normals, axis=1), 1)
