"""The paper's own figures, to stand beside ours: another, private data set, no equal comparison.

Fang, Delingette, Ayache, ASMUS 2023, tables 1 to 4; 263 test pairs.
"""

from __future__ import annotations

NOTE = "The paper's figures belong to its private data set: beside ours, not compared as equals."

MRE_MM = {
    "paper: direct regression": {"mr": "13.83 ± 7.25", "us": "11.43 ± 3.82"},
    "paper: heatmap matching": {"mr": "6.93 ± 7.57", "us": "6.91 ± 5.12"},
    "paper: baseline": {"mr": "6.24 ± 2.79", "us": "5.90 ± 2.91"},
    "paper: variance": {"mr": "6.05 ± 2.97*", "us": "5.53 ± 2.85*"},
    "paper: distance map": {"mr": "5.77 ± 2.67*†", "us": "5.55 ± 2.63*"},
}

REGISTRATION = {
    "paper: network, svd": ("6.62 ± 3.97", "0.77 ± 0.11"),
    "paper: manual, svd": ("5.80 ± 3.08", "0.82 ± 0.06"),
}
"""SRE mm, Dice."""

SRE_COUNTS = {
    "paper: network": (93, 137, 28, 1, 3, 0, 1),
    "paper: manual": (122, 127, 9, 4, 0, 1, 0),
}

ROTATION_COUNTS = {
    "paper: network": (18, 71, 124, 37, 8, 5, 0),
    "paper: manual": (29, 88, 112, 24, 3, 6, 1),
}
