"""How the errors of a network's landmarks in one image hang together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.landmarks.names import LandmarkName

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class ErrorCorrelation:
    """Correlation of landmarks' errors, each in units of its own covariance.

    With `C_i = L_i L_i^T` (Cholesky) the covariance of landmark i, the errors of landmarks i and j
    have the cross-covariance `L_i K_ij L_j^T`, K_ij being a 3 x 3 block of `matrix`.

    Parameters
    ----------
    names : tuple of str
        L landmarks, each once.
    matrix : (3L, 3L) array
        Symmetric and positive definite; blocks on the diagonal are the identity. Axes are those of
        the image's patient frame (L, P, S).

    Raises
    ------
    ValueError
        `matrix` is not of that kind.
    """

    names: tuple[LandmarkName, ...]
    matrix: FloatArray

    def __post_init__(self) -> None:
        count = len(self.names)
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (3 * count, 3 * count) or not np.isfinite(matrix).all():
            raise ValueError(
                f"the correlation of {count} landmarks is a finite matrix of {3 * count} rows, "
                f"found shape {matrix.shape}"
            )
        if len(set(self.names)) != count:
            raise ValueError(f"a correlation names each landmark once, found {self.names}")
        if (np.abs(matrix - matrix.T) > TOLERANCE).any():
            raise ValueError("a correlation matrix is symmetric")
        own = matrix.reshape(count, 3, count, 3)[range(count), :, range(count)]
        if (np.abs(own - np.eye(3)) > TOLERANCE).any():
            raise ValueError("a landmark's error has correlation 1 with itself, by axis")
        try:
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError as error:
            raise ValueError("a correlation matrix is positive definite") from error
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def uniform(cls, names: Sequence[LandmarkName], correlation: float) -> ErrorCorrelation:
        """The same correlation (0 to below 1) between any two landmarks, along each axis."""
        count = len(names)
        between = np.full((count, count), correlation)
        np.fill_diagonal(between, 1.0)
        return cls(tuple(names), np.kron(between, np.eye(3)))

    @classmethod
    def from_rows(cls, names: Sequence[LandmarkName], rows: Sequence[str]) -> ErrorCorrelation:
        """What `rows` wrote; ValueError where it is something else."""
        size = 3 * len(names)
        below = [[float(word) for word in row.split()] for row in rows]
        if [len(row) for row in below] != list(range(1, size)):
            raise ValueError(f"the correlation of {len(names)} landmarks has {size - 1} rows")
        matrix = np.eye(size)
        for number, row in enumerate(below, start=1):
            matrix[number, :number] = matrix[:number, number] = row
        return cls(tuple(names), matrix)

    def rows(self) -> list[str]:
        """What lies below the diagonal, a text for each row from the second, to six digits."""
        return [
            " ".join(f"{value:.6g}" for value in row[:number])
            for number, row in enumerate(self.matrix)
            if number
        ]

    def to_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"names": list(self.names), "rows": self.rows()}

    @classmethod
    def from_record(cls, record: Any) -> ErrorCorrelation:
        """What `to_record` made; ValueError where it is something else."""
        try:
            return cls.from_rows(tuple(map(str, record["names"])), list(record["rows"]))
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not the correlation of landmarks ({error})") from error

    def among(self, names: Sequence[LandmarkName]) -> FloatArray:
        """(3N, 3N) for these landmarks; those it does not know err on their own."""
        if tuple(names) == self.names:
            return self.matrix.copy()
        found = np.eye(3 * len(names))
        known = [(at, self.names.index(n)) for at, n in enumerate(names) if n in self.names]
        if known:
            here, there = (axes_of(indices) for indices in zip(*known, strict=True))
            found[np.ix_(here, here)] = self.matrix[np.ix_(there, there)]
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ErrorCorrelation):
            return NotImplemented
        return self.names == other.names and np.array_equal(self.matrix, other.matrix)

    __hash__ = None  # type: ignore[assignment]


def axes_of(landmarks: Sequence[int]) -> NDArray[np.intp]:
    """Rows of the matrix that belong to these landmarks."""
    return (3 * np.asarray(landmarks, dtype=np.intp)[:, None] + np.arange(3)).ravel()
