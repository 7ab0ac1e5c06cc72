"""The images of one slice view and how they are laid over each other."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF, QRegion

from fusioninit.geometry import PixelFrame, RigidTransform, Space
from fusioninit.gui.gland_outline import GlandOutline
from fusioninit.gui.slice_edges import EdgeLayer
from fusioninit.gui.slice_image import SliceLayer
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.gui.view_state import FusionMode, ViewState
from fusioninit.imaging.volume import Volume
from fusioninit.session import Session

Picture = tuple[QRectF, QImage]

FINEST_SAMPLE_VOX = 0.6
"""Slices are cut at most this fine, in voxels; Qt interpolates in between. Finer cuts cost time
and show nothing more: the volume itself is only interpolated linearly."""
MOVING_SAMPLE_VOX = 1.2
"""While pictures follow one another fast they are cut this finely only: a quarter of the work."""
CHECKER_PX = 48
"""Edge of a checkerboard field in logical pixels."""


class SliceLayers:
    """Draws US and MR for one view: blended, checkered, wiped, as edges, flickering, or alone."""

    def __init__(self, session: Session, view_state: ViewState, space: Space) -> None:
        self._session, self._view_state, self._space = session, view_state, space
        self.forget()

    def forget(self) -> None:
        """Let go of everything drawn so far, and of the volumes it was drawn from."""
        self._layers = {Space.US: SliceLayer(), Space.MR: SliceLayer()}
        self._outlines = {Space.US: GlandOutline(), Space.MR: GlandOutline()}
        self._edges = EdgeLayer()
        self.is_coarse = False

    def paint(self, painter: QPainter, frame: PixelFrame, ratio: float) -> None:
        """Fill the view with what its mode asks for."""
        mode = self._mode()
        self.is_coarse = False
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        pictures = {space: self._picture(space, frame, ratio) for space in self.shown_spaces()}
        us, mr = pictures.get(Space.US), pictures.get(Space.MR)
        if us is not None:
            painter.drawImage(*us)
        if mr is None:
            return
        if us is None:
            painter.drawImage(*mr)
        elif mode is FusionMode.BLEND:
            painter.setOpacity(self._view_state.mix)
            painter.drawImage(*mr)
            painter.setOpacity(1.0)
        elif mode is FusionMode.EDGES:
            painter.drawImage(mr[0], self._edges.image(mr[1], SPACE_COLOUR[Space.MR]))
        elif mode is FusionMode.CHECKER:
            self._paint_checker(painter, frame, mr)
        else:
            self._paint_wipe(painter, frame, mr)

    def shown_spaces(self) -> list[Space]:
        """What is visible in the view at this moment, from below to above."""
        case, state = self._session.case, self._view_state
        if self._space is Space.MR:
            return [Space.MR]
        if case.mr is None or state.shown_us_from_mr(case.us_from_mr) is None:
            return [Space.US]
        mode = self._mode()
        shows_mr = mode is FusionMode.MR or (mode is FusionMode.FLICKER and state.flicker_shows_mr)
        if shows_mr:
            return [Space.MR]
        if mode in (FusionMode.US, FusionMode.FLICKER) or self._is_invisible(mode):
            return [Space.US]
        return [Space.US, Space.MR]

    def outlines(self, frame: PixelFrame) -> list[tuple[Space, list[QPolygonF]]]:
        """Gland outlines on the frame: the view's own, and in US views the MR's once aligned."""
        case, found = self._session.case, []
        for space in (Space.US, Space.MR) if self._space is Space.US else (Space.MR,):
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
        us_from_mr = self._view_state.shown_us_from_mr(self._session.case.us_from_mr)
        if space is self._space or us_from_mr is None:
            return None
        return us_from_mr.inverse() if space is Space.MR else us_from_mr

    def _picture(self, space: Space, frame: PixelFrame, ratio: float) -> Picture:
        """The slice of a volume and where it goes: sampled no finer than its voxels deserve."""
        volume = self._session.case.volume(space)
        assert volume is not None
        is_tinted = space is Space.US or (self._space is Space.US and self._mode_tints_mr())
        fine = _sampled(volume, frame, ratio, finest_vox=FINEST_SAMPLE_VOX)
        sampled, layer, transform = fine, self._layers[space], self._grid_from_plane(space)
        if self._view_state.motion.is_on and not layer.has_cut(volume, fine, transform):
            sampled = _sampled(volume, frame, ratio, finest_vox=MOVING_SAMPLE_VOX)
            self.is_coarse |= sampled.size_px != fine.size_px
        image = layer.image(
            volume,
            sampled,
            window=self._view_state.window(space),
            colour_map=self._view_state.colour_map(space) if is_tinted else "Grey",
            grid_from_plane=transform,
        )
        return QRectF(*frame.span_px(sampled)), image

    def _mode_tints_mr(self) -> bool:
        return self._mode() is FusionMode.BLEND

    @staticmethod
    def _paint_checker(painter: QPainter, frame: PixelFrame, mr: Picture) -> None:
        width, height = frame.size_px
        fields = QRegion()
        for row in range(height // CHECKER_PX + 1):
            for column in range(row % 2, width // CHECKER_PX + 1, 2):
                fields += QRegion(column * CHECKER_PX, row * CHECKER_PX, CHECKER_PX, CHECKER_PX)
        painter.save()
        painter.setClipRegion(fields)
        painter.drawImage(*mr)
        painter.restore()

    def _paint_wipe(self, painter: QPainter, frame: PixelFrame, mr: Picture) -> None:
        width, height = frame.size_px
        x = width * self._view_state.mix
        painter.save()
        painter.setClipRect(QRectF(0, 0, x, height))
        painter.drawImage(*mr)
        painter.restore()
        painter.setPen(QPen(QColor(255, 255, 255, 170), 1.5))
        painter.drawLine(QLineF(x, 0, x, height))


def _sampled(volume: Volume, frame: PixelFrame, ratio: float, *, finest_vox: float) -> PixelFrame:
    """The pixels to cut: as fine as the screen, but no finer than `finest_vox` voxels."""
    finest_mm = finest_vox * float(volume.grid.spacing_mm.min())
    factor = min(ratio, frame.mm_per_px / finest_mm)
    return frame if factor == 1.0 else frame.finer(factor)
