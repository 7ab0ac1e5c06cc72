"""The needle plan: made from the template and the targets, edited, copied."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSize, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.gui.card import Card, PlainTable
from fusioninit.gui.core_table import DEPTH, MISS_MM, NAME, OFF, TOLD_BY_NAME, CoreTableModel
from fusioninit.gui.glyphs import icon
from fusioninit.gui.theme import current_theme
from fusioninit.gui.view_state import ViewState
from fusioninit.session import Session
from fusioninit.state import Approach, CoreKind, NeedleRule, plan_cores

_HINT = "Cores are planned in US and stay where they are when landmarks move."
_REFRESH_MS = 60
_BUTTONS = {
    "entry": ("arrow-right-bottom", "Entry here", "Put the chosen core's entry at the crosshair"),
    "tip": ("target", "Tip here", "Put the chosen core's tip at the crosshair"),
    "copy": ("content-copy", "Copy", "Copy the whole plan with its coordinates"),
    "remove": ("delete-outline", "Remove", "Take the chosen core out of the plan"),
}


class CorePanel(Card):
    """Makes a plan and edits it; every change is an edit of the session."""

    def __init__(
        self, session: Session, view_state: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__("Needle plan", parent)
        self._session, self._view_state = session, view_state
        self.cores = CoreTableModel(session, self)
        self.table = PlainTable("Needle plan")
        self.table.setModel(self.cores)
        self.table.stretch(NAME)
        self.table.setIconSize(QSize(8, 8))
        self.table.set_small_text(9.0)
        self.table.narrow(DEPTH, OFF)
        self.table.hide_columns(*TOLD_BY_NAME)
        self.approach = QComboBox()
        self.approach.setAccessibleName("Approach")
        for approach in Approach:
            self.approach.addItem(approach.value.capitalize(), approach)
        self.template = QPushButton(icon("dots-grid"), "12-core template")
        self.template.setToolTip("Plan twelve systematic cores; earlier systematic ones go")
        self.targeted = QPushButton(icon("bullseye-arrow"), "Targeted cores")
        self.targeted.setToolTip("Plan cores through every target; earlier targeted ones go")
        self.per_target = QSpinBox()
        self.per_target.setRange(1, 9)
        self.per_target.setValue(2)
        self.per_target.setSuffix(" each")
        self.per_target.setAccessibleName("Cores for each target")
        self.buttons: dict[str, QPushButton] = {}
        self.hint = QLabel(_HINT)
        self._arrange()
        self._connect()
        self._refresh()

    def _arrange(self) -> None:
        self.top.addWidget(self.approach)
        making = QHBoxLayout()
        making.addWidget(self.template, 1)
        making.addWidget(self.targeted, 1)
        making.addWidget(self.per_target)
        self.column.addLayout(making)
        self.table.setMinimumHeight(220)
        self.column.addWidget(self.table, 1)
        self.hint.setObjectName("faint")
        self.hint.setWordWrap(True)
        self.column.addWidget(self.hint)
        grid = QGridLayout()
        for number, (name, (picture, text, tip)) in enumerate(_BUTTONS.items()):
            button = self.buttons[name] = QPushButton(icon(picture), text)
            button.setToolTip(tip)
            grid.addWidget(button, 0, number)
        self.column.addLayout(grid)

    def _connect(self) -> None:
        session = self._session
        self._timer = QTimer(self, singleShot=True, interval=_REFRESH_MS)
        self._timer.timeout.connect(self._refresh)
        self.template.clicked.connect(self.plan_systematic)
        self.targeted.clicked.connect(self.plan_targeted)
        self.buttons["entry"].clicked.connect(lambda: self._move_chosen(is_tip=False))
        self.buttons["tip"].clicked.connect(lambda: self._move_chosen(is_tip=True))
        self.buttons["copy"].clicked.connect(self.table.copy_all)
        self.buttons["remove"].clicked.connect(self.remove_chosen)
        self.table.removal_requested.connect(self.remove_chosen)
        self.table.selectionModel().currentRowChanged.connect(self._on_row_chosen)
        session.case_opened.connect(self._refresh)
        session.cores_changed.connect(self._refresh)
        session.targets_changed.connect(self._refresh)
        session.registration_changed.connect(self._timer.start)

    def plan_systematic(self) -> None:
        """Twelve cores by the template, in place of the systematic ones there are."""
        self._plan("Plan 12 systematic cores", CoreKind.SYSTEMATIC)

    def plan_targeted(self) -> None:
        """Cores through every target, in place of the targeted ones there are."""
        self._plan("Plan targeted cores", CoreKind.TARGETED)

    def remove_chosen(self) -> None:
        """Take the chosen core out of the plan."""
        name = self._chosen()
        if name:
            self._session.remove_core(name)

    def _plan(self, action: str, kind: CoreKind) -> None:
        case, systematic = self._session.case, kind is CoreKind.SYSTEMATIC
        kept = [core for core in case.cores if core.kind is not kind]
        count = 0 if systematic else self.per_target.value()
        rule = NeedleRule(approach=Approach(self.approach.currentData()))
        try:
            made = plan_cores(case, rule=rule, systematic=systematic, per_target=count)
        except InputError as error:
            text = str(error)
            self._session.refused.emit(text[:1].upper() + text[1:])
            return
        cores = (*made, *kept) if systematic else (*kept, *made)
        self._session.set_cores(cores, action=action)

    def _chosen(self) -> str:
        row = self.table.currentIndex().row()
        return self.cores.cores[row].name if 0 <= row < len(self.cores.cores) else ""

    def _move_chosen(self, *, is_tip: bool) -> None:
        name = self._chosen()
        if name:
            row, here = self.table.currentIndex().row(), self._view_state.crosshair_mm(Space.US)
            if is_tip:
                self._session.move_core(name, tip_us_mm=here)
            else:
                self._session.move_core(name, entry_us_mm=here)
            self.table.choose(row)

    def _on_row_chosen(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            core = self.cores.cores[current.row()]
            middle = (core.sample_start_us_mm + core.tip_us_mm) / 2
            self._view_state.set_crosshair(Space.US, middle)
        self._refresh()

    def _refresh(self) -> None:
        case, chosen = self._session.case, self._chosen()
        self._view_state.choose_core(chosen)
        self.template.setEnabled(case.us is not None)
        self.targeted.setEnabled(bool(case.targets))
        for name, button in self.buttons.items():
            button.setEnabled(bool(case.cores) if name == "copy" else bool(chosen))
        self._show_hint()

    def _show_hint(self) -> None:
        missing, cores = self.cores.missing(), self.cores.cores
        theme = current_theme()
        if missing:
            which = missing[0].name if len(missing) == 1 else f"{len(missing)} cores"
            text = f"{which} now pass{'es' if len(missing) == 1 else ''} more than {MISS_MM:.0f} mm"
            self.hint.setText(f"{text} off target: the alignment has changed. Plan them again.")
        elif cores:
            systematic = sum(core.kind is CoreKind.SYSTEMATIC for core in cores)
            self.hint.setText(
                f"{systematic} systematic, {len(cores) - systematic} targeted. {_HINT}"
            )
        else:
            self.hint.setText(_HINT)
        self.hint.setStyleSheet(f"color: {theme.warn if missing else theme.faint};")
