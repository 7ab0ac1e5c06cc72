"""Standard views of the 3D scene."""

from __future__ import annotations

from vtkmodules.vtkRenderingCore import vtkRenderer

_Direction = tuple[float, float, float]

STANDARD = "Standard"
VIEWPOINTS: dict[str, tuple[_Direction, _Direction]] = {
    STANDARD: ((0.55, -1.0, 0.45), (0, 0, 1)),
    "From the front": ((0, -1, 0), (0, 0, 1)),
    "From the back": ((0, 1, 0), (0, 0, 1)),
    "From the patient's left": ((1, 0, 0), (0, 0, 1)),
    "From the patient's right": ((-1, 0, 0), (0, 0, 1)),
    "From the feet": ((0, 0, -1), (0, -1, 0)),
    "From the head": ((0, 0, 1), (0, -1, 0)),
}
"""Where the camera stands as seen from the middle, and what is up; LPS."""
NEARER = 1.35
"""VTK leaves room for the sphere round the scene; what matters lies in its middle."""


def look_from(renderer: vtkRenderer, viewpoint: str) -> None:
    """Turn the camera to one of `VIEWPOINTS`; all of the scene is in the picture."""
    position, up = VIEWPOINTS[viewpoint]
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(0, 0, 0)
    camera.SetPosition(*position)
    camera.SetViewUp(*up)
    renderer.ResetCamera()
    camera.Dolly(NEARER)
    renderer.ResetCameraClippingRange()
