"""How fast the window answers in software rendering: run with `--benchmark-enable`.

From a mouse move to all slice views of a layout repainted, and to the 3D view drawn as well; the
solve and the new state alone; one slice scrolled in one view. Window 1400 x 900. Print: median in
milliseconds.
"""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.gui.main_window import MainWindow
from fusioninit.gui.preferences import Preferences
from fusioninit.gui.services import Services
from fusioninit.gui.slice_image import sampler_for
from fusioninit.gui.theme import DARK, apply_theme
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet, Source
from fusioninit.session import InlineJob, Opening, Session
from fusioninit.state import Case

US_FROM_MR = RigidTransform.from_parts(
    Space.US, Space.MR, rotation=rotation_matrix([0.3, -0.06, 0.05]), translation_mm=[4, -30, 18]
)
POINTS = {
    "apex": [0.0, 4.0, -21.0],
    "bladder_neck": [1.0, -8.0, 19.0],
    "posterior_median": [-1.0, 16.0, 1.0],
}
ROUNDS = 30
SIZES = {
    "demo": ((128, 150, 150), 0.6, (40, 200, 200), (0.7, 0.7, 2.5)),
    "full": ((256, 256, 256), 0.4, (128, 256, 256), (0.5, 0.5, 1.0)),
}


def make_volume(space, grid, seed):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, tuple(n // 4 + 1 for n in grid.shape), dtype=np.uint8)
    voxels = np.kron(coarse, np.ones((4, 4, 4), np.uint8))
    k, j, i = grid.shape
    return Volume(np.ascontiguousarray(voxels[:k, :j, :i]), grid, space)


def make_case(size):
    us_shape, us_mm, mr_shape, mr_mm = SIZES[size]
    mr_from_us = US_FROM_MR.inverse()
    us_grid = Grid.centred(us_shape, us_mm)
    turn = rotation_matrix([0.1, 0.05, -0.1])
    half = (np.array(mr_shape[::-1]) - 1) / 2 * mr_mm
    mr_grid = Grid(mr_shape, mr_mm, mr_from_us.apply([0, 0, 0]) - turn @ half, turn)
    mr_points = {name: mr_from_us.apply(point) for name, point in POINTS.items()}
    case = Case()
    for space, grid, points in (
        (Space.US, us_grid, POINTS),
        (Space.MR, mr_grid, mr_points),
    ):
        volume = make_volume(space, grid, seed=1)
        sampler_for(volume)
        marks = LandmarkSet.from_positions(space, points, source=Source.PREDICTED)
        case = case.with_volume(volume).with_prediction(marks, make_gland(space, points))
    return case


def make_gland(space, points):
    grid = Grid.centred((56, 57, 58), 1.0, np.mean(list(points.values()), axis=0))
    near = np.linalg.norm(grid.points_mm() - grid.center_mm, axis=-1) < 20
    return Volume(near.astype(np.uint8), grid, space)


def make_window(size, folder):
    """The window on a case of `SIZES`, shown at 1400 x 900."""
    apply_theme(QApplication.instance(), DARK)
    session = Session()
    opening = Opening(session, None, InlineJob())
    window = MainWindow(session, Preferences(folder / "s.ini"), Services(opening))
    window.resize(1400, 900)
    window.show()
    session.open_case(make_case(size))
    return window


@pytest.fixture(params=list(SIZES))
def window(request, qtbot, qapp, tmp_path):
    window = make_window(request.param, tmp_path)
    qtbot.waitExposed(window)
    for _ in range(20):
        qapp.processEvents()
    yield window
    window.close()
    window.deleteLater()


def drag_moves(window, view_name, landmark):
    """An endless drag: each call sends one mouse move and lets every view repaint."""
    view = window.slices[view_name]
    mark = window.session.case.landmarks(view.space)[landmark]
    window.view_state.set_crosshair(view.space, mark.position_mm)
    start = view.to_view(mark.position_mm)
    send(view, QEvent.Type.MouseButtonPress, start)
    turn = iter(np.linspace(0, 400, 4000).tolist())

    def move():
        angle = next(turn)
        at = start + QPointF(25 * np.sin(angle), 25 - 25 * np.cos(angle))
        send(view, QEvent.Type.MouseMove, at)
        QApplication.sendPostedEvents()
        QApplication.processEvents()

    return move


def send(view, kind, at):
    left = Qt.MouseButton.LeftButton
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else left
    event = QMouseEvent(
        kind, at, view.mapToGlobal(at), button, left, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(view, event)


@pytest.mark.parametrize("layout", ["Review", "Six slices", "Four-up"])
@pytest.mark.parametrize("view_name", ["us_axial", "mr_axial"])
def test_landmark_drag_until_all_views_are_repainted(benchmark, window, view_name, layout):
    if view_name == "mr_axial" and layout == "Four-up":
        pytest.skip("this layout shows no MR view to drag in")
    window.show_layout(layout)
    QApplication.processEvents()
    benchmark.pedantic(
        drag_moves(window, view_name, "posterior_median"), rounds=ROUNDS, warmup_rounds=3
    )


def test_landmark_drag_until_three_slices_and_the_3d_view_are_drawn(benchmark, window, qtbot):
    """In the window the 3D view follows at its own pace; here it is drawn at every step."""
    window.show_layout("Four-up")
    qtbot.waitUntil(lambda: window.scene_place.scene is not None)
    scene = window.scene_place.scene
    qtbot.waitUntil(scene.isVisible)
    scene.render_now()
    move = drag_moves(window, "us_axial", "posterior_median")

    def step():
        move()
        scene.render_now()

    benchmark.pedantic(step, rounds=ROUNDS, warmup_rounds=3)


def test_solve_and_new_state_alone(benchmark, qapp):
    session = Session(make_case("demo"))
    gesture = session.new_gesture()
    start = session.case.us_landmarks["apex"].position_mm
    steps = iter(range(100_000))

    def move():
        session.move_landmark(Space.US, "apex", start + [0, 0, next(steps) * 1e-4], gesture=gesture)
        assert session.case.us_from_mr is not None

    benchmark.pedantic(move, rounds=300, warmup_rounds=20)


def test_one_slice_scrolled_in_one_view(benchmark, window):
    window.show_layout("Fused row")
    window.grid.toggle_maximised("us_axial")
    QApplication.processEvents()
    view = window.slices["us_axial"]
    turns = iter([1, -1] * 1000)

    def scroll():
        view.step_slices(next(turns))
        view.repaint()

    benchmark.pedantic(scroll, rounds=ROUNDS, warmup_rounds=3)


def test_one_slice_scrolled_in_one_view_of_the_review_layout(benchmark, window):
    window.show_layout("Review")
    QApplication.processEvents()
    view = window.slices["us_axial"]
    turns = iter([1, -1] * 1000)

    def scroll():
        view.step_slices(next(turns))
        view.repaint()

    benchmark.pedantic(scroll, rounds=ROUNDS, warmup_rounds=3)
