"""The images of one slice view and how they are laid over each other."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF, QRegion

from fusioninit.geometry import PixelFrame, RigidTransform, Space
from fusioninit.gui.gland_outline import GlandOutline
from fusioninit.gui.slice_image import SliceLayer
from fusioninit.gui.view_state import FusionMode, ViewState
from fusioninit.session import Session

CHECKER_PX = 48
"""Edge of a checkerboard field in logical pixels."""


class SliceLayers:
    """Draws US and MR for one view: blended, in a checkerboard, wiped, flickering, or alone."""

    def __init__(self, session: Session, view_state: ViewState, space: Space) -> None:
        self._session, self._view_state, self._space = session, view_state, space
        self._layers = {Space.US: SliceLayer(), Space.MR: SliceLayer()}
        self._outlines = {Space.US: GlandOutline(), Space.MR: GlandOutline()}

    def paint(self, painter: QPainter, frame: PixelFrame, ratio: float) -> None:
        """Fill the view with what its mode asks for."""
        mode = self._mode()
        images = {space: self._image(space, frame, ratio) for space in self.shown_spaces()}
        us, mr = images.get(Space.US), images.get(Space.MR)
        target = QRectF(0, 0, *frame.size_px)
        if us is not None:
            painter.drawImage(target, us)
        if mr is None:
            return
        if us is None:
            painter.drawImage(target, mr)
        elif mode is FusionMode.BLEND:
            painter.setOpacity(self._view_state.mix)
            painter.drawImage(target, mr)
            painter.setOpacity(1.0)
        elif mode is FusionMode.CHECKER:
            self._paint_checker(painter, target, mr, ratio)
        else:
            self._paint_wipe(painter, target, mr)

    def shown_spaces(self) -> list[Space]:
        """What is visible in the view at this moment, from below to above."""
        case, state = self._session.case, self._view_state
        if self._space is Space.MR:
            return [Space.MR]
        if case.mr is None or case.us_from_mr is None:
            return [Space.US]
        mode = self._mode()
        shows_mr = mode is FusionMode.MR or (mode is FusionMode.FLICKER and state.flicker_shows_mr)
        if shows_mr:
            return [Space.MR]
        if mode in (FusionMode.US, FusionMode.FLICKER) or self._is_invisible(mode):
            return [Space.US]
        return [Space.US, Space.MR]

    def outlines(self, frame: PixelFrame) -> list[tuple[Space, list[QPolygonF]]]:
        """Gland outlines of both volumes on the frame, where masks and a transform are known."""
        case, found = self._session.case, []
        for space in (Space.US, Space.MR):
            gland, transform = case.gland(space), self._grid_from_plane(space)
            if gland is None or (space is not self._space and transform is None):
                continue
            found.append((space, self._outlines[space].polygons(gland, frame, transform)))
        return found

    def _is_invisible(self, mode: FusionMode) -> bool:
        return mode is FusionMode.BLEND and self._view_state.mix == 0

    def _mode(self) -> FusionMode:
        return self._view_state.mode

    def _grid_from_plane(self, space: Space) -> RigidTransform | None:
        us_from_mr = self._session.case.us_from_mr
        if space is self._space or us_from_mr is None:
            return None
        return us_from_mr.inverse() if space is Space.MR else us_from_mr

    def _image(self, space: Space, frame: PixelFrame, ratio: float) -> QImage:
        volume = self._session.case.volume(space)
        assert volume is not None
        is_overlay = self._space is Space.US and space is Space.MR and self._is_tinted()
        return self._layers[space].image(
            volume,
            frame if ratio == 1.0 else frame.finer(ratio),
            window=self._view_state.window(space),
            colour_map=self._view_state.colour_map(space) if is_overlay else "Grey",
            grid_from_plane=self._grid_from_plane(space),
        )

    def _is_tinted(self) -> bool:
        return self._mode() is FusionMode.BLEND

    @staticmethod
    def _paint_checker(painter: QPainter, target: QRectF, mr: QImage, ratio: float) -> None:
        columns = int(target.width() // CHECKER_PX) + 1
        rows = int(target.height() // CHECKER_PX) + 1
        fields = QRegion()
        for row in range(rows):
            for column in range(row % 2, columns, 2):
                fields += QRegion(column * CHECKER_PX, row * CHECKER_PX, CHECKER_PX, CHECKER_PX)
        painter.save()
        painter.setClipRegion(fields)
        painter.drawImage(target, mr)
        painter.restore()

    def _paint_wipe(self, painter: QPainter, target: QRectF, mr: QImage) -> None:
        x = target.width() * self._view_state.mix
        painter.save()
        painter.setClipRect(QRectF(0, 0, x, target.height()))
        painter.drawImage(target, mr)
        painter.restore()
        painter.setPen(QPen(QColor(255, 255, 255, 170), 1.5))
        painter.drawLine(QLineF(x, 0, x, target.height()))
