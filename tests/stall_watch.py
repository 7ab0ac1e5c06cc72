"""How long the GUI thread answers nothing: a timer that should tick tells when it could not."""

from __future__ import annotations

import cProfile
import pstats
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS = 5
STALL_S = 0.05
CALLS = 12
"""Costliest calls that are told of a stall."""


@dataclass
class Stall:
    """A time without a tick: wall clock, and what of it the GUI thread did not stand in a queue.

    `own_s` leaves out how long the GUI thread waited for a processor, where Linux tells; it holds
    what the thread waited for others, which on a busy machine stand in queues themselves.
    """

    step: str
    wall_s: float
    own_s: float
    cpu_s: float
    calls: list[str] = field(default_factory=list)

    def __str__(self):
        figures = f"{1e3 * self.own_s:4.0f} ms own ({1e3 * self.cpu_s:3.0f} ms of work)"
        head = f"{1e3 * self.wall_s:4.0f} ms, {figures} at {self.step}"
        return "\n        ".join([head, *self.calls])


class StallWatch(QObject):
    """Watches the thread that makes it, until `close`; `step` says what goes on, for the report.

    Set `explains` to have the profiler run between ticks: every stall then tells what took it.
    """

    def __init__(self, parent=None):
        super().__init__(parent)
        self.step = ""
        self.stalls = []
        self.longest_s = 0.0
        self.explains = False
        self._profile = None
        self._is_watching = True
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self._begin()

    @contextmanager
    def looking_away(self):
        """For what the test does and the program does not, such as keeping a picture."""
        self._tick()
        self._is_watching = False
        yield
        self._is_watching = True
        self._begin()

    def close(self):
        """Stop watching."""
        self._tick()
        self._is_watching = False
        self._timer.stop()

    def _begin(self):
        if self.explains:
            self._profile = cProfile.Profile()
            self._profile.enable()
        self._queued = _queued_s()
        self._ticked, self._ticked_cpu = time.perf_counter(), time.thread_time()

    def _tick(self):
        if not self._is_watching:
            return
        wall_s = time.perf_counter() - self._ticked
        cpu_s = time.thread_time() - self._ticked_cpu
        own_s = wall_s - (_queued_s() - self._queued)
        if self._profile is not None:
            self._profile.disable()
        self.longest_s = max(self.longest_s, own_s)
        if own_s > STALL_S:
            calls = [] if self._profile is None else _costliest(self._profile)
            self.stalls.append(Stall(self.step, wall_s, own_s, cpu_s, calls))
        self._begin()


def _queued_s():
    """Seconds that this thread has waited for a processor so far; 0 where that is unknown."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def _costliest(profile):
    """Calls by the time they took with all that they called, costliest first."""
    entries = pstats.Stats(profile).stats.items()
    ranked = sorted(entries, key=lambda entry: -entry[1][3])[:CALLS]
    return [
        f"{1e3 * total:4.0f} ms in all, {1e3 * own:4.0f} ms own: "
        f"{file.rpartition('/')[2]}:{line} {name}"
        for (file, line, name), (_, _, own, total, _) in ranked
    ]
