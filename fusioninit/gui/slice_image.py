"""A slice of a volume on a view's pixels, as an image for Qt. Runs on the CPU; no OpenGL.

`SliceSampler` holds one volume as 16-bit levels and cuts it; `SliceLayer` keeps the last cut and
its colours, so that only what changed is computed: a window drag looks up again, a landmark drag
cuts the MR alone.
"""

from __future__ import annotations

import os
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkImagingCore import vtkImageReslice

from fusioninit.geometry import PixelFrame, RigidTransform, index_from_pixel
from fusioninit.gui.colour_maps import argb_table
from fusioninit.imaging.volume import Volume

OUTSIDE = -32768
"""The 16-bit level of pixels outside the volume; drawn transparent."""

_REACH = 32000.0

SMALL_PX = 60_000
"""Below this a second thread costs more than it saves."""
THREADS = min(4, os.cpu_count() or 1)

_samplers: WeakKeyDictionary[Volume, SliceSampler]


class SliceSampler:
    """Cuts one volume along any plane, linearly interpolated."""

    def __init__(self, volume: Volume) -> None:
        self._grid = volume.grid
        levels, self._offset, self._scale = _levels(volume.voxels)
        self._image = vtkImageData()
        self._image.SetDimensions(*levels.shape[::-1])
        # vtk keeps a pointer into this array: it must live as long as the image.
        self._levels = np.ascontiguousarray(levels).reshape(-1)
        self._image.GetPointData().SetScalars(numpy_to_vtk(self._levels))
        self._reslice = vtkImageReslice()
        self._reslice.SetInputData(self._image)
        self._reslice.SetOutputDimensionality(2)
        self._reslice.SetInterpolationModeToLinear()
        self._reslice.SetBackgroundLevel(OUTSIDE)
        self._reslice.SetOutputOrigin(0, 0, 0)
        self._reslice.SetOutputSpacing(1, 1, 1)
        self._axes = vtkMatrix4x4()
        self._reslice.SetResliceAxes(self._axes)

    def sample(
        self, frame: PixelFrame, grid_from_plane: RigidTransform | None = None
    ) -> NDArray[np.int16]:
        """(height, width) levels on the pixels of `frame`; `OUTSIDE` where there is no voxel."""
        width, height = frame.size_px
        self._axes.DeepCopy(index_from_pixel(self._grid, frame, grid_from_plane).ravel().tolist())
        self._reslice.SetOutputExtent(0, width - 1, 0, height - 1, 0, 0)
        self._reslice.SetNumberOfThreads(1 if width * height < SMALL_PX else THREADS)
        self._reslice.Modified()
        self._reslice.Update()
        flat = vtk_to_numpy(self._reslice.GetOutput().GetPointData().GetScalars())
        cut: NDArray[np.int16] = flat.reshape(height, width).copy()
        return cut

    def colours(self, window: tuple[float, float], colour_map: str) -> NDArray[np.uint32]:
        """(65536,) ARGB of every level, indexed by the level's bits; outside is transparent."""
        low, high = ((edge - self._offset) / self._scale for edge in window)
        every = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.float32)
        step = np.clip((every - low) * (255.0 / max(high - low, 1e-9)), 0, 255).astype(np.uint8)
        colours = argb_table(colour_map)[step]
        colours[np.int16(OUTSIDE).view(np.uint16)] = 0
        return colours


class SliceLayer:
    """The latest cut of one volume in one view, and its colours; recomputed only on change."""

    def __init__(self) -> None:
        self._cut_key: object = None
        self._colour_key: object = None
        self._cut: NDArray[np.int16] = np.zeros((1, 1), np.int16)
        self._colours: NDArray[np.uint32] = np.zeros(65536, np.uint32)
        self._pixels: NDArray[np.uint32] = np.zeros((1, 1), np.uint32)
        self._image = QImage()

    def has_cut(
        self, volume: Volume, frame: PixelFrame, grid_from_plane: RigidTransform | None = None
    ) -> bool:
        """Whether the latest cut is this one, so that it costs nothing to show it again."""
        return self._cut_key == _cut_key(volume, frame, grid_from_plane)

    def image(
        self,
        volume: Volume,
        frame: PixelFrame,
        *,
        window: tuple[float, float],
        colour_map: str,
        grid_from_plane: RigidTransform | None = None,
    ) -> QImage:
        """The slice as a premultiplied ARGB image of the frame's size."""
        sampler = sampler_for(volume)
        cut_key = _cut_key(volume, frame, grid_from_plane)
        colour_key = (volume, window, colour_map)
        if cut_key == self._cut_key and colour_key == self._colour_key:
            return self._image
        if cut_key != self._cut_key:
            self._cut = sampler.sample(frame, grid_from_plane)
        if colour_key != self._colour_key:
            self._colours = sampler.colours(window, colour_map)
        self._cut_key, self._colour_key = cut_key, colour_key
        self._pixels = np.take(self._colours, self._cut.view(np.uint16))
        height, width = self._pixels.shape
        self._image = QImage(
            self._pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
        )
        return self._image


def _cut_key(volume: Volume, frame: PixelFrame, transform: RigidTransform | None) -> object:
    matrix = b"" if transform is None else transform.matrix.tobytes()
    return (volume, frame.size_px, frame.world_from_pixel.tobytes(), matrix)


def sampler_for(volume: Volume) -> SliceSampler:
    """The one sampler of a volume, made on first use and gone with it.

    The first call costs a 16-bit copy of the voxels; make it off the GUI thread after reading.
    """
    sampler = _samplers.get(volume)
    if sampler is None:
        sampler = _samplers[volume] = SliceSampler(volume)
    return sampler


def _levels(voxels: NDArray[np.generic]) -> tuple[NDArray[np.int16], float, float]:
    """Voxels as int16 with value = offset + scale * level; small whole numbers are kept as is."""
    low, high = float(voxels.min()), float(voxels.max())
    if np.issubdtype(voxels.dtype, np.integer) and low >= -_REACH and high <= _REACH:
        return voxels.astype(np.int16, copy=False), 0.0, 1.0
    scale = max((high - low) / (2 * _REACH), 1e-12)
    offset = (high + low) / 2
    levels = (voxels.astype(np.float32) - np.float32(offset)) * np.float32(1 / scale)
    return levels.round().astype(np.int16), offset, scale


_samplers = WeakKeyDictionary()
