"""Whether a 3D view can be made here, asked before one is tried, and what would draw it."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

NEEDED = (3, 2)
"""VTK's renderer; remote desktops may offer 1.1 only."""

_WITHOUT_GL = ("offscreen", "minimal", "vnc", "linuxfb", "wayland", "wayland-egl")
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software", "gdi generic")
_GL_RENDERER = 0x1F01


@cache
def opengl_refusal() -> str:
    """Why there is no 3D view, in one sentence; empty where there can be one."""
    platform = QGuiApplication.platformName()
    if platform in _WITHOUT_GL:
        return f"This display ({platform}) offers no OpenGL to the 3D view."
    version, _ = _ask_opengl()
    if version is None:
        return "OpenGL could not be started on this display."
    if version < NEEDED:
        return f"OpenGL {version[0]}.{version[1]} is too old; the 3D view needs 3.2."
    return ""


def is_software() -> bool:
    """Whether OpenGL is computed on the processor: volumes are then drawn more coarsely."""
    _, renderer = _ask_opengl()
    return any(word in renderer.lower() for word in _SOFTWARE)


@cache
def _ask_opengl() -> tuple[tuple[int, int] | None, str]:
    """The version (None where OpenGL does not start) and the name of the renderer."""
    context = QOpenGLContext()
    surface = QOffscreenSurface()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return None, ""
    made = context.format()
    renderer = str(context.functions().glGetString(_GL_RENDERER) or "")
    context.doneCurrent()
    return (made.majorVersion(), made.minorVersion()), renderer
