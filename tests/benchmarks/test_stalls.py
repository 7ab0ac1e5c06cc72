"""The longest times without an answer on the whole way through the demo, from open to export.

Run with `--benchmark-enable -s`: every stall over 50 ms is printed with the step it was in. With
FUSIONINIT_EXPLAIN_STALLS=1 the profiler runs as well (and adds to them), and tells the calls.
"""

import os

import pytest

from tests.app.test_walk import qts_own_dialogs, walk_the_whole_way, walker  # noqa: F401
from tests.stall_watch import STALL_S

pytestmark = pytest.mark.gl


def test_the_longest_stall_on_the_whole_way(benchmark, walker, tmp_path, capsys):  # noqa: F811
    walker.watch.explains = bool(os.environ.get("FUSIONINIT_EXPLAIN_STALLS"))
    benchmark.pedantic(walk_the_whole_way, (walker, tmp_path), rounds=1)
    watch = walker.watch
    benchmark.extra_info |= {"longest_s": watch.longest_s, "stalls": len(watch.stalls)}
    with capsys.disabled():
        print(f"\nlongest: {1e3 * watch.longest_s:.0f} ms")
        print(f"over {1e3 * STALL_S:.0f} ms: {len(watch.stalls)}")
        for stall in sorted(watch.stalls, key=lambda stall: -stall.own_s):
            print(stall)
