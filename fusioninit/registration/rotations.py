"""Exponential, logarithm and Jacobian of one rotation, in plain floats.

`fusioninit.geometry` has the batched forms; for a single vector their array overhead is ten
times the arithmetic, and an iteration per millisecond lives on these three.
"""

from __future__ import annotations

from math import atan2, cos, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import rotation_vector_rad

FloatArray = NDArray[np.float64]

SMALL_RAD = 1e-4
"""Below it series replace quotients; their next term is of order 1e-18."""


def exponential(vector_rad: FloatArray) -> FloatArray:
    """Rotation (3, 3) of a rotation vector (3,), by Rodrigues' formula."""
    x, y, z = vector_rad.tolist()
    angle2 = x * x + y * y + z * z
    angle = sqrt(angle2)
    small = angle < SMALL_RAD
    first = 1 - angle2 / 6 if small else sin(angle) / angle
    second = 0.5 - angle2 / 24 if small else (1 - cos(angle)) / angle2
    return np.array(
        [
            [1 - second * (y * y + z * z), second * x * y - first * z, second * x * z + first * y],
            [second * x * y + first * z, 1 - second * (x * x + z * z), second * y * z - first * x],
            [second * x * z - first * y, second * y * z + first * x, 1 - second * (x * x + y * y)],
        ]
    )


def logarithm(rotation: FloatArray) -> FloatArray:
    """Rotation vector (3,) of a rotation (3, 3), angle 0 to pi."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation.tolist()
    x, y, z = (zy - yz) / 2, (xz - zx) / 2, (yx - xy) / 2
    sine, cosine = sqrt(x * x + y * y + z * z), (xx + yy + zz - 1) / 2
    if sine < SMALL_RAD:
        return rotation_vector_rad(rotation)
    scale = atan2(sine, cosine) / sine
    return np.array([x * scale, y * scale, z * scale])


def logarithm_jacobian(vector_rad: FloatArray) -> FloatArray:
    """(3, 3) derivative of the logarithm of `Exp(w) Exp(vector)` with respect to w at 0.

    The inverse left Jacobian of SO(3): I - [a]/2 + (1/t^2 - (1 + cos t) / (2 t sin t)) [a]^2.
    """
    x, y, z = vector_rad.tolist()
    angle2 = x * x + y * y + z * z
    angle = min(sqrt(angle2), pi - 1e-6)
    if angle < SMALL_RAD:
        factor = 1 / 12
    else:
        factor = 1 / angle2 - (1 + cos(angle)) / (2 * angle * sin(angle))
    diagonal = 1 - factor * angle2
    a, b, c = factor * x * y, factor * x * z, factor * y * z
    return np.array(
        [
            [diagonal + factor * x * x, a + z / 2, b - y / 2],
            [a - z / 2, diagonal + factor * y * y, c + x / 2],
            [b + y / 2, c - x / 2, diagonal + factor * z * z],
        ]
    )
