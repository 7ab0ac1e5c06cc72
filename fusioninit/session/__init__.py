"""The running case: edits with undo, the journal, background jobs. QtCore and QtGui only."""

from fusioninit.session.detecting import Detecting
from fusioninit.session.edits import EditCase
from fusioninit.session.exporting import Exporting
from fusioninit.session.jobs import InlineJob, Job, LatestJob
from fusioninit.session.learning_prior import LearningPrior
from fusioninit.session.opening import Opening
from fusioninit.session.preparing import Preparing
from fusioninit.session.protocols import CaseExporter, Detection, LandmarkPredictor, VolumeReader
from fusioninit.session.reading_targets import ReadingTargets
from fusioninit.session.saving import Saving
from fusioninit.session.session import CLOSED, CLOSED_UNSAVED, Session
from fusioninit.session.work import Work

__all__ = [
    "CLOSED",
    "CLOSED_UNSAVED",
    "CaseExporter",
    "Detecting",
    "Detection",
    "EditCase",
    "Exporting",
    "InlineJob",
    "Job",
    "LandmarkPredictor",
    "LatestJob",
    "LearningPrior",
    "Opening",
    "Preparing",
    "ReadingTargets",
    "Saving",
    "Session",
    "VolumeReader",
    "Work",
]
