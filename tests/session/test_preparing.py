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


def test_nothing_is_said_of_it_even_where_it_fails(qapp):
    def fail(*, progress, cancelled):
        progress(0.5, "half of it")
        raise ImportError("no such library")

    job = InlineJob()
    failed = []
    job.failed.connect(failed.append)
    preparing, said = Preparing(Session(), fail, job), []
    for signal in (preparing.started, preparing.failed):
        signal.connect(said.append)
    preparing.begin()
    assert (len(failed), said) == (1, [])
