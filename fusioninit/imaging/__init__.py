"""Volumes: the value, and (in modules imported by name) readers, reslicing, surfaces, masks.

Importing this package costs numpy only; `imaging.reading` and `imaging.resampling` bring SimpleITK.
"""

from fusioninit.imaging.volume import Volume, VolumeSource

__all__ = ["Volume", "VolumeSource"]
