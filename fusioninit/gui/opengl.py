"""Whether a 3D view can be made here, asked before one is tried."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

NEEDED = (3, 2)
"""VTK's renderer; remote desktops may offer 1.1 only."""

_WITHOUT_GL = ("offscreen", "minimal", "vnc", "linuxfb", "wayland", "wayland-egl")


@cache
def opengl_refusal() -> str:
    """Why there is no 3D view, in one sentence; empty where there can be one."""
    platform = QGuiApplication.platformName()
    if platform in _WITHOUT_GL:
        return f"This display ({platform}) offers no OpenGL to the 3D view."
    context = QOpenGLContext()
    surface = QOffscreenSurface()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return "OpenGL could not be started on this display."
    version = context.format().version()
    context.doneCurrent()
    if version < NEEDED:
        return f"OpenGL {version[0]}.{version[1]} is too old; the 3D view needs 3.2."
    return ""
