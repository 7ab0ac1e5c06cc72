import threading

import pytest

from fusioninit.errors import InputError
from fusioninit.session import InlineJob, LatestJob


@pytest.fixture(params=[LatestJob, InlineJob])
def job(request, qapp):
    job = request.param()
    yield job
    job.cancel()
    assert job.wait(5)


def test_the_value_and_its_context_arrive(job, qtbot):
    heard = []
    job.succeeded.connect(lambda value, context: heard.append((value, context)))
    with qtbot.waitSignal(job.stopped):
        job.submit(lambda progress, cancelled: 42, context="the case")
    assert heard == [(42, "the case")]
    assert not job.is_running


def test_an_input_error_arrives_as_its_sentence(job, qtbot):
    def task(progress, cancelled):
        raise InputError("the file is empty; choose another")

    heard = []
    job.failed.connect(heard.append)
    with qtbot.waitSignal(job.stopped):
        job.submit(task)
    assert heard == ["the file is empty; choose another"]


def test_a_fault_of_our_own_is_named_as_such(job, qtbot):
    heard = []
    job.failed.connect(heard.append)
    with qtbot.waitSignal(job.stopped):
        job.submit(lambda progress, cancelled: 1 / 0)
    assert heard == ["internal error: ZeroDivisionError: division by zero"]


def test_progress_arrives_while_it_runs(job, qtbot):
    heard = []
    job.progressed.connect(lambda fraction, text: heard.append((fraction, text)))
    with qtbot.waitSignal(job.stopped):
        job.submit(lambda progress, cancelled: progress(0.5, "half"))
    assert heard == [(0.5, "half")]


def test_a_newer_task_supersedes_an_older_one(qtbot):
    job, release, heard = LatestJob(), threading.Event(), []
    job.succeeded.connect(lambda value, context: heard.append(value))
    job.submit(lambda progress, cancelled: release.wait(5) and "old")
    with qtbot.waitSignal(job.succeeded):
        job.submit(lambda progress, cancelled: "new")
    release.set()
    assert job.wait(5)
    qtbot.wait(50)
    assert heard == ["new"]


def test_a_cancelled_task_sees_it_and_its_answer_is_dropped(qtbot):
    job, begun, heard, seen = LatestJob(), threading.Event(), [], []
    job.succeeded.connect(lambda value, context: heard.append(value))

    def task(progress, cancelled):
        begun.set()
        while not cancelled():
            threading.Event().wait(0.005)
        seen.append(True)
        return "too late"

    job.submit(task)
    assert begun.wait(5)
    with qtbot.waitSignal(job.stopped):
        job.cancel()
    assert job.wait(5)
    qtbot.wait(50)
    assert seen == [True]
    assert heard == []
