import pytest

from fusioninit.session import InlineJob, Preparing, Session


@pytest.fixture
def begun():
    return []


@pytest.fixture
def preparing(qapp, begun):
    return Preparing(Session(), lambda *, progress, cancelled: begun.append(1), InlineJob())


def test_what_will_be_needed_is_loaded_once_however_often_it_begins(preparing, begun):
    preparing.begin()
    preparing.begin()
    assert begun == [1]


def test_nothing_is_said_of_it(qtbot, preparing, begun):
    said = []
    preparing.started.connect(said.append)
    preparing.failed.connect(said.append)
    preparing.begin()
    assert (begun, said) == ([1], [])
