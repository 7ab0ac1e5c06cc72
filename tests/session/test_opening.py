"""Opening a case: everything costly happens on the reading thread."""

import threading

import numpy as np

from fusioninit.geometry import Grid, Space
from fusioninit.imaging.volume import Volume
from fusioninit.session import LatestJob, Opening, Session
from fusioninit.state import Case


def volume(space):
    shape = (4, 5, 6)
    return Volume(np.ones(shape, np.uint8), Grid(shape), space)


def test_glands_that_a_case_brings_are_prepared_on_the_reading_thread(qtbot):
    session, prepared = Session(), []
    glands = [volume(Space.MR), volume(Space.US)]

    def make(_read):
        case = Case()
        for gland in glands:
            case = case.with_volume(volume(gland.space)).with_gland(gland)
        return case

    opening = Opening(
        session,
        lambda *_, **__: None,
        LatestJob(),
        prepare_gland=lambda gland: prepared.append((gland, threading.current_thread())),
    )
    with qtbot.waitSignal(opening.opened):
        opening.open_made(make, "a case")
    assert [gland for gland, _ in prepared] == glands
    assert all(thread is not threading.main_thread() for _, thread in prepared)
    assert session.case.mr_gland is glands[0]
    assert opening.close()
