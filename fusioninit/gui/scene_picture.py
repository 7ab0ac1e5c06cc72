"""The 3D view as a picture file: what is on the screen, legend included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

from fusioninit.errors import InputError

SUFFIXES = (".png", ".jpg")


def choose_picture(parent: QWidget) -> Path | None:
    """Ask where a picture goes; PNG where no ending is given. None where nothing was chosen."""
    name, _ = QFileDialog.getSaveFileName(
        parent, "Save picture of the 3D view", "scene.png", "Pictures (*.png *.jpg)"
    )
    if not name:
        return None
    path = Path(name)
    return path if path.suffix.lower() in SUFFIXES else path.with_name(f"{path.name}.png")


def save_picture(window: Any, path: Path) -> None:
    """Write what a render window shows.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    grab = vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.SetInputBufferTypeToRGB()
    grab.ReadFrontBufferOff()
    grab.Update()
    shown = grab.GetOutput()
    width, height, _ = shown.GetDimensions()
    # VTK counts rows from below.
    flat = vtk_to_numpy(shown.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()
    picture = QImage(flat.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    if not picture.save(str(path)):
        raise InputError(f"{path.name}: the picture cannot be written; choose another folder")
