"""Pairs: one synthetic patient in MR and in US, at full resolution, with the truth between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from fusioninit.geometry import Grid, RigidTransform, Space
from fusioninit.imaging.volume import Volume, VolumeSource
from fusioninit.landmarks import ALL_NAMES, LandmarkSet, Source
from fusioninit.phantom import mr, us
from fusioninit.phantom.anatomy import Anatomy, draw_anatomy
from fusioninit.phantom.dice import Dice
from fusioninit.phantom.placement import Placement
from fusioninit.phantom.sampling import sample_field
from fusioninit.phantom.scenes import draw_mr_scene, draw_us_scene
from fusioninit.registration.arun import arun_rigid

FloatArray = NDArray[np.float64]

RECTA = {"collapsed": 0.45, "gas": 0.3, "stool": 0.25}
"""What fills the rectum in a pair's MR, and how often."""

US_SPACING_MM = 0.6
US_LARGEST = 168
"""Voxels along each axis of a US volume at most."""

SWEEP_SHAPE = (112, 150, 176)
"""Frames, beams and samples of a sweep for voxels of `US_SPACING_MM`; fewer for larger ones."""


@dataclass(frozen=True)
class PhantomPair:
    """One patient in both spaces.

    Parameters
    ----------
    mr, us : Volume
        int16 and uint8; exactly 0 outside the US sector.
    mr_gland, us_gland : Volume
        uint8 masks on the same grids.
    mr_landmarks, us_landmarks : LandmarkSet
        All of `ALL_NAMES`, LPS mm.
    us_from_mr : RigidTransform
        The least-squares rigid part of the true map over the whole gland.
    """

    mr: Volume
    us: Volume
    mr_gland: Volume
    us_gland: Volume
    mr_landmarks: LandmarkSet
    us_landmarks: LandmarkSet
    us_from_mr: RigidTransform
    _mr_placement: Placement = field(repr=False)
    _us_placement: Placement = field(repr=False)

    def to_us(self, points_mr_mm: ArrayLike) -> FloatArray:
        """Dense truth: (n, 3) US points of (n, 3) MR points, deformation included (LPS mm)."""
        points = torch.as_tensor(np.asarray(points_mr_mm), dtype=torch.float32).T
        mapped = self._us_placement.to_world(self._mr_placement.to_anatomy(points))
        return np.asarray(mapped.T, dtype=np.float64)


def draw_pair(
    *,
    seed: int,
    mr_grid: Grid | None = None,
    us_grid: Grid | None = None,
    coarsening: int = 1,
    device: torch.device | str = "cpu",
) -> PhantomPair:
    """Draw the pair of `seed`: the same seed gives the same bytes on the same version and device.

    Parameters
    ----------
    mr_grid, us_grid : Grid, optional
        Where to image; by default axial slices of 3 mm with 0.6 mm pixels, and 0.6 mm voxels over
        the sweep. The patient is placed about each grid's centre.
    coarsening : int
        How many times coarser the sweep and the default grids are (not MR's slices), for speed.
    """
    dice = Dice(3 * seed + 2, device)
    with torch.no_grad():
        anatomy = draw_anatomy(dice, rectum_fill=dice.choice(RECTA))
        # own dice for each image: a patient and a pose do not depend on the grids
        mr_dice, us_dice = dice.split(), dice.split()
        mr_image, mr_gland, mr_placement = _image_mr(mr_dice, anatomy, mr_grid, coarsening)
        us_image, us_gland, us_placement = _image_us(us_dice, anatomy, us_grid, coarsening)
        us_from_mr = _rigid_part(anatomy, mr_placement, us_placement)
    return PhantomPair(
        mr=mr_image,
        us=us_image,
        mr_gland=mr_gland,
        us_gland=us_gland,
        mr_landmarks=_landmarks(Space.MR, anatomy, mr_placement),
        us_landmarks=_landmarks(Space.US, anatomy, us_placement),
        us_from_mr=us_from_mr,
        _mr_placement=mr_placement,
        _us_placement=us_placement,
    )


def _image_mr(
    dice: Dice, anatomy: Anatomy, grid: Grid | None, coarsening: int
) -> tuple[Volume, Volume, Placement]:
    placement, stack = draw_mr_scene(dice, anatomy)
    slices, pixels, size_mm = dice.integer(26, 32), 256 // coarsening, 0.6 * coarsening
    grid = grid or Grid.centred((slices, pixels, pixels), (size_mm, size_mm, 3.0))
    i, j, k = grid.spacing_mm.tolist()
    stack = replace(
        stack,
        shape=grid.shape,
        spacing_mm=(k, j, i),
        world_from_stack=torch.tensor(grid.direction, dtype=torch.float32),
    )
    palette = mr.draw_palette(dice, plausible=True)
    image, gland = mr.render(anatomy, dice, placement, stack, palette)
    scaled = image * (900.0 / float(torch.quantile(image[:, ::8, ::8].reshape(-1), 0.99)))
    voxels = scaled.clamp(0, 30_000).round().to(torch.int16)
    volume, mask = _volumes(Space.MR, grid, voxels, gland)
    return volume, mask, _about(placement, grid)


def _image_us(
    dice: Dice, anatomy: Anatomy, grid: Grid | None, coarsening: int
) -> tuple[Volume, Volume, Placement]:
    rectum = replace(anatomy.pelvis.rectum, fill="probe")
    probed = replace(anatomy, pelvis=replace(anatomy.pelvis, rectum=rectum))
    placement, sweep = draw_us_scene(dice, probed)
    if grid is None:
        extent = (sweep.box_mm[:, 1] - sweep.box_mm[:, 0]).flip(0)
        voxel_mm = US_SPACING_MM * coarsening
        sizes = (extent / voxel_mm).round().clamp(16, US_LARGEST // coarsening).int().tolist()
        grid = Grid.centred(sizes, voxel_mm)
    detail = min(1.0, US_SPACING_MM / float(grid.spacing_mm.min()))
    frames, beams, samples = (max(24, round(size * detail)) for size in SWEEP_SHAPE)
    sweep = replace(sweep, shape=(frames, beams, samples))
    image, gland = us.render(probed, dice, placement, sweep)
    points = torch.as_tensor(grid.points_mm() - grid.center_mm, dtype=torch.float32)
    points = points.reshape(-1, 3).T.to(dice.device)
    both = sample_field(torch.stack([image, gland]), sweep.position(points), grid.shape)
    both = both * sweep.stored(points).reshape(grid.shape)
    volume, mask = _volumes(Space.US, grid, both[0].round().to(torch.uint8), both[1])
    return volume, mask, _about(placement, grid)


def _volumes(space: Space, grid: Grid, voxels: Tensor, gland: Tensor) -> tuple[Volume, Volume]:
    source = VolumeSource(format="phantom", description=f"synthetic {space.value.upper()}")
    mask = (gland > 0.5).to(torch.uint8).cpu().numpy()
    return Volume(voxels.cpu().numpy(), grid, space, source), Volume(mask, grid, space, source)


def _about(placement: Placement, grid: Grid) -> Placement:
    """The placement in the grid's own world instead of about its centre."""
    center = torch.tensor(grid.center_mm, dtype=torch.float32)
    return replace(placement, origin_mm=placement.origin_mm + center)


def _landmarks(space: Space, anatomy: Anatomy, placement: Placement) -> LandmarkSet:
    world = placement.to_world(anatomy.landmarks_mm.T).T.double().numpy()
    positions = dict(zip(ALL_NAMES, world, strict=True))
    return LandmarkSet.from_positions(
        space, positions, source=Source.CONFIRMED, provenance="phantom"
    )


def _rigid_part(anatomy: Anatomy, to_mr: Placement, to_us: Placement) -> RigidTransform:
    axis = torch.arange(-60.0, 61.0, 3.0)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    points = torch.stack([x.reshape(-1), y.reshape(-1), z.reshape(-1)])
    gland = anatomy.gland
    within = points[:, gland.distance(gland.gland_from_patient @ points) < 0]
    in_mr, in_us = (placement.to_world(within).T.double().numpy() for placement in (to_mr, to_us))
    rotation, translation = arun_rigid(in_us, in_mr)
    return RigidTransform.from_parts(
        Space.US, Space.MR, rotation=rotation, translation_mm=translation
    )
