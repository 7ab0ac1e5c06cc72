"""The views, arranged by layouts that are data; any of them can fill the whole area."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QGridLayout, QWidget

_THREE_US = ("us_axial", "us_sagittal", "us_coronal")
_THREE_MR = ("mr_axial", "mr_sagittal", "mr_coronal")

LAYOUTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Review": (_THREE_US, ("mr_axial", "mr_sagittal", "scene")),
    "Six slices": (_THREE_US, _THREE_MR),
    "Four-up": (("us_axial", "us_sagittal"), ("us_coronal", "scene")),
    "Side by side": (("us_axial", "mr_axial"), ("us_sagittal", "mr_sagittal")),
    "Fused row": (_THREE_US,),
    "3D": (("scene",),),
}


class ViewGrid(QWidget):
    """Places views in rows; double-click on one shows it alone, once more brings all back."""

    def __init__(self, views: Mapping[str, QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views = dict(views)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(4, 4, 4, 4)
        self._grid.setSpacing(4)
        self.layout_name = ""
        self.maximised: str | None = None
        self.show_layout("Review")

    def show_layout(self, name: str) -> None:
        """Arrange the views as `LAYOUTS[name]` says."""
        self.layout_name, self.maximised = name, None
        self._place(LAYOUTS[name])

    def toggle_maximised(self, view_name: str) -> None:
        """Show one view alone, or all of the layout again."""
        self.maximised = None if self.maximised == view_name else view_name
        self._place(((view_name,),) if self.maximised else LAYOUTS[self.layout_name])

    def toggle_focused(self) -> None:
        """Show the view that has the focus alone (the first, where none has), or all again."""
        focused = self.window().focusWidget()
        shown = [name for row in LAYOUTS[self.layout_name] for name in row]
        holding = [
            name
            for name, view in self.views.items()
            if focused is not None and (view is focused or view.isAncestorOf(focused))
        ]
        self.toggle_maximised(self.maximised or (holding or shown)[0])

    def _place(self, rows: tuple[tuple[str, ...], ...]) -> None:
        shown = {name for row in rows for name in row}
        for name, view in self.views.items():
            self._grid.removeWidget(view)
            if name not in shown:
                view.hide()
        for line in range(6):
            self._grid.setRowStretch(line, 1 if line < len(rows) else 0)
            self._grid.setColumnStretch(line, 1 if line < len(rows[0]) else 0)
        for r, row in enumerate(rows):
            for c, name in enumerate(row):
                self._grid.addWidget(self.views[name], r, c)
                self.views[name].show()
