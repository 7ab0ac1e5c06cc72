"""Planar contours as regions: area, centroid and volume of what they enclose. LPS mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusioninit.imaging.region import Region

FloatArray = NDArray[np.float64]

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")

SAME_PLANE_MM = 0.01
"""Contours closer than this along their normal lie in one slice."""


@dataclass(frozen=True, eq=False)
class Contour:
    """Points (N, 3) in LPS mm and the DICOM name of what they form."""

    points_mm: FloatArray
    kind: str

    @property
    def area_vector_mm2(self) -> FloatArray:
        """(3,) area times unit normal, by the shoelace formula; zero for what is not closed."""
        if self.kind not in CLOSED or len(self.points_mm) < 3:
            return np.zeros(3)
        offset = self.points_mm - self.points_mm[0]
        vector: FloatArray = np.cross(offset, np.roll(offset, -1, axis=0)).sum(axis=0) / 2
        return vector

    @property
    def centroid_mm(self) -> FloatArray:
        """(3,) centroid of the enclosed area, or the mean of the points where there is none."""
        vector = self.area_vector_mm2
        area = float(np.linalg.norm(vector))
        if area <= 0:
            mean: FloatArray = self.points_mm.mean(axis=0)
            return mean
        first = self.points_mm[0]
        offset = self.points_mm - first
        following = np.roll(offset, -1, axis=0)
        shares = np.cross(offset, following) @ (vector / area) / 2
        centroid: FloatArray = first + shares @ (offset + following) / (3 * area)
        return centroid


def region_of_contours(name: str, contours: list[Contour], frame_uid: str = "") -> Region:
    """The region of one structure's contours; slices are as thick as they lie apart.

    Contours of the exclusive-or kind that lie within another of their slice are holes. Points
    and open lines have no volume: the region is then the mean of their points.
    """
    vectors = np.array([contour.area_vector_mm2 for contour in contours])
    areas = np.linalg.norm(vectors, axis=1)
    points = np.concatenate([contour.points_mm for contour in contours])
    extent = np.ptp(points, axis=0)
    if areas.sum() <= 0:
        return Region(name, points.mean(axis=0), 0.0, extent, frame_uid)
    normal = vectors[int(np.argmax(areas))] / areas.max()
    heights = np.array([float(contour.centroid_mm @ normal) for contour in contours])
    signs = np.array([_sign(number, contours, heights, normal) for number in range(len(contours))])
    weights = signs * areas
    centroids = np.array([contour.centroid_mm for contour in contours])
    thickness = _thickness_mm(heights[areas > 0])
    return Region(
        name,
        weights @ centroids / weights.sum(),
        float(weights.sum() * thickness) / 1000,
        extent + np.abs(normal) * thickness,
        frame_uid,
    )


def _thickness_mm(heights: FloatArray) -> float:
    """Usual distance of neighbouring slices; a single slice has none and counts as 0."""
    steps = np.diff(np.unique(np.round(heights / SAME_PLANE_MM))) * SAME_PLANE_MM
    return float(np.median(steps)) if len(steps) else 0.0


def _sign(number: int, contours: list[Contour], heights: FloatArray, normal: FloatArray) -> float:
    """-1 for a hole, which lies within an odd number of contours of its slice, else 1."""
    own = contours[number]
    if own.kind != "CLOSEDPLANAR_XOR":
        return 1.0
    around = [
        other
        for other, contour in enumerate(contours)
        if other != number
        and abs(heights[other] - heights[number]) < SAME_PLANE_MM
        and _encloses(contour.points_mm, own.points_mm[0], normal)
    ]
    return -1.0 if len(around) % 2 else 1.0


def _encloses(outline: FloatArray, point: FloatArray, normal: FloatArray) -> bool:
    """Whether a point lies within a planar outline, by counting crossings of a ray."""
    drop = int(np.argmax(np.abs(normal)))
    flat, (x, y) = np.delete(outline, drop, axis=1), np.delete(point, drop)
    ahead = np.roll(flat, -1, axis=0)
    crosses = (flat[:, 1] > y) != (ahead[:, 1] > y)
    rise = np.where(crosses, ahead[:, 1] - flat[:, 1], 1.0)
    at = flat[:, 0] + (y - flat[:, 1]) / rise * (ahead[:, 0] - flat[:, 0])
    return bool((crosses & (at > x)).sum() % 2)
