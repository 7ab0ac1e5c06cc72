"""Programs that benchmarks start in processes of their own hold no tests to collect."""

collect_ignore = ["first_frame.py", "slicer_drag.py", "soak.py"]
