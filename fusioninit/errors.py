"""What can be wrong with what a person gave us, each as one sentence: what, where, what to do.

The command line turns an `InputError` into exit status 3, the window into a message.
Errors in our own code are ordinary exceptions and never derive from `InputError`.
"""

from __future__ import annotations


class InputError(ValueError):
    """An input that cannot be used. The message is one sentence a clinician understands."""


class ReadError(InputError):
    """A file or folder from which no volume, mask or landmark set can be read."""


class VoxelSizeNeededError(ReadError):
    """A file that would be read if a person stated its voxel size."""


class DegenerateLandmarksError(InputError):
    """Landmarks that do not determine a rigid transform (too few, equal, or on one line)."""
