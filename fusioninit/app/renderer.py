"""Which renderer the 3D view would get here; the self-test asks in a process of its own."""

from __future__ import annotations

import os
import sys


def describe_renderer() -> str:
    """One line: the OpenGL renderer, or why there is no 3D view here."""
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return "no display: the window and its 3D view cannot be shown here"
    from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

    from fusioninit.gui.opengl import opengl_refusal

    application = QGuiApplication(sys.argv[:1])
    refusal = opengl_refusal()
    if refusal:
        return refusal
    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    context.create()
    context.makeCurrent(surface)
    format_ = context.format()
    context.doneCurrent()
    del application
    return f"OpenGL {format_.majorVersion()}.{format_.minorVersion()}"


if __name__ == "__main__":
    sys.stdout.write(describe_renderer() + "\n")
