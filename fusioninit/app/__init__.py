"""Puts the application together: the window, and the real reader, networks and exporter."""

from fusioninit.app.window import run_window

__all__ = ["run_window"]
