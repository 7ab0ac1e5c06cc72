"""Files that leave for other programs, and the transform and landmark files that come back.

Everything written is read back and compared before it takes its place. RAS exists only in here
and in the volume readers; `us_from_mr` is turned into what a client wants in `exchange.frames`.
"""
