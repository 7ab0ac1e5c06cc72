"""Where things are: spaces, rigid transforms that know their spaces, voxel grids, slice planes.

World coordinates are the DICOM/ITK patient frame: LPS (x to the patient's Left, y Posterior,
z Superior), millimetres, float64. Points are `(..., 3)` arrays in x, y, z; voxel arrays are
`(k, j, i)`; index 0 is at a voxel's CENTRE. Imports numpy only; everything else builds on it.
"""

from fusioninit.geometry.grids import Grid
from fusioninit.geometry.plane_triads import PlaneTriad
from fusioninit.geometry.planes import (
    Orientation,
    PixelFrame,
    SlicePlane,
    index_from_pixel,
    orientation_letters,
    section_mm,
    slice_plane,
)
from fusioninit.geometry.spaces import Space
from fusioninit.geometry.transforms import (
    RigidTransform,
    rotation_matrix,
    rotation_vector_rad,
)

__all__ = [
    "Grid",
    "Orientation",
    "PixelFrame",
    "PlaneTriad",
    "RigidTransform",
    "SlicePlane",
    "Space",
    "index_from_pixel",
    "orientation_letters",
    "rotation_matrix",
    "rotation_vector_rad",
    "section_mm",
    "slice_plane",
]
