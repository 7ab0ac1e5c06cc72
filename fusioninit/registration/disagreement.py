"""Two networks' landmarks of one image compared: the paper's remedy for large detection errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fusioninit.geometry import Space
from fusioninit.landmarks import LABELS, REQUIRED_NAMES, LandmarkName, LandmarkSet
from fusioninit.registration.metrics import radial_errors_mm

FAR_APART_MM = {Space.MR: 5.0, Space.US: 7.0}
"""Two networks that place a landmark farther apart than this make it doubtful.

The distance that 5 % of the landmarks found to within 5 mm exceed, to half a millimetre, with the
bundled networks on 80 synthetic pairs outside the benchmark, but not less than 5 mm, since two good
answers may lie that far apart (for MR it is less):
`fusioninit evaluate models/two-models.toml`, last column of "Two models apart, and the error".
"""


@dataclass(frozen=True)
class Disagreement:
    """How far two answers for one image lie apart.

    Parameters
    ----------
    space : Space
    distances_mm : mapping
        Distance between both positions, for each landmark that both answers hold.
    """

    space: Space
    distances_mm: Mapping[LandmarkName, float]

    def is_doubtful(self, name: LandmarkName) -> bool:
        """Whether the answers for a landmark lie farther apart than usual."""
        return self.distances_mm.get(name, 0.0) > FAR_APART_MM[self.space]

    @property
    def doubtful(self) -> tuple[LandmarkName, ...]:
        """Those of the required landmarks that are doubtful, the farthest apart first."""
        return tuple(name for name in self._by_distance() if self.is_doubtful(name))

    def sentence(self) -> str:
        """What the comparison says of the image: which landmarks to look at, or that none is."""
        names = self._by_distance()
        if not names:
            return "the two networks have no landmark in common: check every landmark"
        if not self.doubtful:
            most = self.distances_mm[names[0]]
            return f"two networks agree to {most:.1f} mm (farthest apart: {_label(names[0])})"
        apart = " and ".join(f"{_label(n)} {self.distances_mm[n]:.0f} mm" for n in self.doubtful)
        return (
            f"two networks place {apart} apart "
            f"(usual: up to {FAR_APART_MM[self.space]:.0f}): look there first"
        )

    def of(self, names: Iterable[LandmarkName]) -> Disagreement:
        """The same for these landmarks alone."""
        kept = set(names)
        known = {name: mm for name, mm in self.distances_mm.items() if name in kept}
        return Disagreement(self.space, known)

    def rounded_mm(self) -> dict[LandmarkName, float]:
        """The distances to a tenth of a millimetre, for reports."""
        return {name: round(distance, 1) for name, distance in self.distances_mm.items()}

    def _by_distance(self) -> list[LandmarkName]:
        known = [name for name in REQUIRED_NAMES if name in self.distances_mm]
        return sorted(known, key=lambda name: -self.distances_mm[name])


def compare_answers(first: LandmarkSet, second: LandmarkSet) -> Disagreement:
    """Compare two networks' answers for one image, landmark by landmark."""
    return Disagreement(first.space, radial_errors_mm(first, second))


def _label(name: LandmarkName) -> str:
    return LABELS[name].lower()
