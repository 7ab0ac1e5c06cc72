"""The patient's case as an immutable value, and its trace on disk. No Qt, VTK, torch, SimpleITK."""

from fusioninit.state.case import FIXED, MOVING, Case, Decision, Target
from fusioninit.state.case_file import load_case, save_case
from fusioninit.state.core_template import (
    Approach,
    NeedleRule,
    plan_cores,
    systematic_template,
    target_miss_mm,
    targeted_cores,
)
from fusioninit.state.journal import Journal, JournalEntry, read_journal
from fusioninit.state.needle_plan import Core, CoreKind

__all__ = [
    "FIXED",
    "MOVING",
    "Approach",
    "Case",
    "Core",
    "CoreKind",
    "Decision",
    "Journal",
    "JournalEntry",
    "NeedleRule",
    "Target",
    "load_case",
    "plan_cores",
    "read_journal",
    "save_case",
    "systematic_template",
    "target_miss_mm",
    "targeted_cores",
]
