"""Work off the GUI thread: the newest request wins, stale answers are dropped.

A task is a function of immutable values, `task(progress=, cancelled=) -> value`. It sees no
QObject and changes nothing; its value arrives as a signal on the thread of the job's owner.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from fusioninit.errors import InputError
from fusioninit.session.protocols import Cancelled

Task = Callable[..., Any]

_log = logging.getLogger(__name__)


class Job(Protocol):
    """The interface that `LatestJob` (a thread) and `InlineJob` (at once) share."""

    progressed: SignalInstance
    succeeded: SignalInstance
    failed: SignalInstance
    stopped: SignalInstance

    def submit(self, task: Task, *, context: object = None) -> None: ...
    def cancel(self) -> None: ...
    def wait(self, timeout_s: float = 30.0) -> bool: ...
    @property
    def is_running(self) -> bool: ...


class _JobSignals(QObject):
    progressed = Signal(float, str)
    """(fraction 0 to 1, what is being done)"""
    succeeded = Signal(object, object)
    """(value, context): only of the newest task, never after cancel."""
    failed = Signal(str)
    """One sentence for a person."""
    stopped = Signal()
    """The newest task has ended, in whatever way."""

    _reported = Signal(int, float, str)
    _finished = Signal(int, object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._generation = 0
        self._running = False
        self._reported.connect(self._on_reported)
        self._finished.connect(self._on_finished)

    @property
    def is_running(self) -> bool:
        """Whether an answer is still awaited."""
        return self._running

    def _begin(self) -> int:
        self._generation += 1
        self._running = True
        return self._generation

    def _run(self, task: Task, generation: int, context: object, cancelled: Cancelled) -> None:
        def progress(fraction: float, text: str) -> None:
            self._reported.emit(generation, float(fraction), text)

        try:
            value, error = task(progress=progress, cancelled=cancelled), None
        except InputError as problem:
            value, error = None, str(problem)
        except Exception as problem:
            _log.exception("a background task failed")
            value, error = None, f"internal error: {type(problem).__name__}: {problem}"
        self._finished.emit(generation, value, error, context)

    def _on_reported(self, generation: int, fraction: float, text: str) -> None:
        if generation == self._generation and self._running:
            self.progressed.emit(fraction, text)

    def _on_finished(self, generation: int, value: object, error: object, context: object) -> None:
        if generation != self._generation or not self._running:
            return
        self._running = False
        if error is None:
            self.succeeded.emit(value, context)
        else:
            self.failed.emit(str(error))
        self.stopped.emit()

    def _abandon(self) -> None:
        if self._running:
            self._running = False
            self.stopped.emit()


class LatestJob(_JobSignals):
    """Runs the newest task in a thread. An older one is asked to stop and its answer dropped."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._flag = threading.Event()
        self._threads: list[threading.Thread] = []

    def submit(self, task: Task, *, context: object = None) -> None:
        """Start `task`, superseding the one that runs. `context` comes back with the answer."""
        self._flag.set()
        self._flag = threading.Event()
        arguments = (task, self._begin(), context, self._flag.is_set)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(
            target=self._run, args=arguments, name="fusioninit-job", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def cancel(self) -> None:
        """Ask the running task to stop; its answer will not arrive."""
        self._flag.set()
        self._abandon()

    def wait(self, timeout_s: float = 30.0) -> bool:
        """Block until every thread has ended; False where one has not in time."""
        for thread in self._threads:
            thread.join(timeout_s)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return not self._threads


class InlineJob(_JobSignals):
    """The same interface run at once on the caller's thread, for tests and scripts."""

    def submit(self, task: Task, *, context: object = None) -> None:
        """Run `task` and emit its outcome before returning."""
        self._run(task, self._begin(), context, lambda: not self._running)

    def cancel(self) -> None:
        """Drop the answer of the task that runs."""
        self._abandon()

    def wait(self, timeout_s: float = 30.0) -> bool:
        """Nothing is ever left running."""
        return True
