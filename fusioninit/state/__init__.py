"""The patient's case as an immutable value, and its trace on disk. No Qt, VTK, torch, SimpleITK."""

from fusioninit.state.case import FIXED, MOVING, Case, Decision, Target
from fusioninit.state.case_file import load_case, save_case
from fusioninit.state.journal import Journal, JournalEntry, read_journal

__all__ = [
    "FIXED",
    "MOVING",
    "Case",
    "Decision",
    "Journal",
    "JournalEntry",
    "Target",
    "load_case",
    "read_journal",
    "save_case",
]
