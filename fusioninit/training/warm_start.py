"""Starting from the weights of a network that found fewer landmarks."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from fusioninit.detection.unet import LandmarkNetwork

HEAD = ("head.weight", "head.bias")
TEMPERATURE = "log_temperature"


def with_more_landmarks(
    weights: Mapping[str, Tensor], network: LandmarkNetwork
) -> dict[str, Tensor]:
    """`weights` of a network with fewer heatmaps, laid out for `network`.

    The head's rows are heatmaps, then the gland's cells, then unused ones. Rows that both networks
    have are taken over; those of the new landmarks are `network`'s own. Anything else is returned
    as it is, fitting or not.
    """
    found = dict(weights)
    own = network.state_dict()
    if not {*HEAD, TEMPERATURE} <= found.keys() or network.heatmaps == 0:
        return found
    before, after = len(found[TEMPERATURE]), network.heatmaps
    gland = network.gland_cells
    if before >= after or len(found[HEAD[1]]) < before + gland:
        return found
    for name in HEAD:
        if found[name].shape[1:] != own[name].shape[1:]:
            return found
        rows = own[name].clone()
        rows[:before] = found[name][:before]
        rows[after : after + gland] = found[name][before : before + gland]
        found[name] = rows
    temperature = own[TEMPERATURE].clone()
    temperature[:before] = found[TEMPERATURE]
    found[TEMPERATURE] = temperature
    return found
