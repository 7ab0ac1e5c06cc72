"""What is assumed of the pose before any landmark is seen, as a case keeps it: `PosePrior`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid
from fusioninit.registration import CenterPrior, FitModel, Probe, RotationPrior


@dataclass(frozen=True, eq=False)
class PosePrior:
    """A prior on the rotation, and where it was learned one on the translation.

    Parameters
    ----------
    rotation : RotationPrior
        Of `us_from_mr`: by the type of probe, or learned from accepted registrations.
    place : CenterPrior or None
        Where the mean of the three required MR landmarks falls in US, from the middle of the US
        image: frames of different patients share no origin.
    """

    rotation: RotationPrior = field(default_factory=RotationPrior.for_probe)
    place: CenterPrior | None = None

    @classmethod
    def for_probe(cls, probe: Probe) -> PosePrior:
        """The stated ranges of a probe; nothing on the translation."""
        return cls(RotationPrior.for_probe(probe))

    @property
    def name(self) -> str:
        """What a person reads: "end-fire probe", "learned from 12 accepted registrations"."""
        return self.rotation.name

    def model(self, us_grid: Grid | None) -> FitModel:
        """As a fit takes it; without a US image nothing is assumed of the translation."""
        place = self.place
        if place is None or us_grid is None:
            return FitModel(self.rotation)
        return FitModel(self.rotation, center=place.moved(us_grid.center_mm))


def prior_to_record(prior: PosePrior) -> dict[str, Any]:
    """The prior as JSON values."""
    rotation, place = prior.rotation, prior.place
    return {
        "name": rotation.name,
        "mean_rad": rotation.mean_rad.tolist(),
        "covariance_rad2": rotation.covariance_rad2.tolist(),
        "dof": rotation.dof if np.isfinite(rotation.dof) else None,
        "place": None
        if place is None
        else {
            "mean_mm": place.mean_mm.tolist(),
            "covariance_mm2": place.covariance_mm2.tolist(),
        },
    }


def prior_from_record(record: Any) -> PosePrior:
    """The prior of a record; ReadError where it is damaged."""
    try:
        dof, place = record["dof"], record["place"]
        return PosePrior(
            RotationPrior(
                record["mean_rad"],
                record["covariance_rad2"],
                str(record["name"]),
                float("inf") if dof is None else float(dof),
            ),
            None if place is None else CenterPrior(place["mean_mm"], place["covariance_mm2"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(
            "the saved prior on the pose is damaged; open the images as a new case"
        ) from error
