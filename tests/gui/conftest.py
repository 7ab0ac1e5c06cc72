"""A synthetic pair with a known transform, and windows on it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtGui import QImage

from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.gui.main_window import MainWindow
from fusioninit.gui.preferences import Preferences
from fusioninit.gui.services import Services
from fusioninit.gui.slice_image import sampler_for
from fusioninit.gui.theme import DARK, apply_theme
from fusioninit.imaging.volume import Volume, VolumeSource
from fusioninit.landmarks import Landmark, LandmarkSet, Source
from fusioninit.registration.disagreement import FAR_APART_MM
from fusioninit.session import (
    Detecting,
    Exporting,
    InlineJob,
    LearningPrior,
    Opening,
    ReadingTargets,
    Saving,
    Session,
)
from fusioninit.state import Case

US_POINTS = {
    "apex": [0.0, 4.0, -21.0],
    "bladder_neck": [1.0, -8.0, 19.0],
    "posterior_median": [-1.0, 16.0, 1.0],
}
US_FROM_MR = RigidTransform.from_parts(
    Space.US, Space.MR, rotation=rotation_matrix([0.3, -0.06, 0.05]), translation_mm=[4, -30, 18]
)
RADII_MM = np.array([24.0, 17.0, 21.0])


def draw_volume(space, grid, us_from_here, *, seed):
    """An ellipsoid with a brighter rim and a dark tube in speckle, in the frame of `grid`."""
    rng = np.random.default_rng(seed)
    points_us = us_from_here(grid.points_mm())
    radius = np.linalg.norm(points_us / RADII_MM, axis=-1)
    tissue = np.select([radius < 0.6, radius < 0.95, radius < 1.05], [90.0, 150.0, 60.0], 110.0)
    tissue = tissue - 70 * (np.linalg.norm(points_us[..., :2] - [0, -4], axis=-1) < 3)
    noise = (
        rng.gamma(4.0, 0.25, grid.shape) if space is Space.US else rng.normal(1, 0.08, grid.shape)
    )
    voxels = np.clip(tissue * noise, 0, 255)
    kind = np.uint8 if space is Space.US else np.float32
    gland = Volume((radius < 1).astype(np.uint8), grid, space)
    source = VolumeSource(format="phantom", description=f"synthetic {space.upper()}")
    return Volume(voxels.astype(kind), grid, space, source), gland


def draw_pair(us_shape=(70, 72, 74), us_mm=1.2, mr_shape=(26, 96, 98), mr_mm=(1.1, 1.1, 3.0)):
    """US and MR volumes with their glands; the MR grid is oblique and anisotropic."""
    us_grid = Grid.centred(us_shape, us_mm)
    mr_from_us = US_FROM_MR.inverse()
    turn = rotation_matrix([0.15, 0.05, -0.1])
    half = (np.array(mr_shape[::-1]) - 1) / 2 * mr_mm
    mr_grid = Grid(mr_shape, mr_mm, mr_from_us.apply([0, 0, 0]) - turn @ half, turn)
    us = draw_volume(Space.US, us_grid, lambda points: points, seed=1)
    mr = draw_volume(Space.MR, mr_grid, US_FROM_MR.apply, seed=2)
    return us, mr


def predicted_landmarks(space, points_mm, *, seed=3, sd_mm=2.0):
    """True points off by noise, as a network would propose them."""
    rng = np.random.default_rng(seed)
    marks = tuple(
        Landmark(
            name,
            np.asarray(point) + rng.normal(0, sd_mm, 3),
            covariance_mm2=np.diag([4.0, 5.0, 9.0]),
            source=Source.PREDICTED,
            confidence=0.87,
            provenance=f"{space.value} network",
        )
        for name, point in points_mm.items()
    )
    return LandmarkSet(space, marks)


@pytest.fixture(scope="session")
def pair():
    (us, us_gland), (mr, mr_gland) = draw_pair()
    sampler_for(us)
    sampler_for(mr)
    return SimpleNamespace(us=us, mr=mr, us_gland=us_gland, mr_gland=mr_gland)


MR_POINTS = {name: US_FROM_MR.inverse().apply(point) for name, point in US_POINTS.items()}


@pytest.fixture
def case(pair):
    """Both volumes, predicted landmarks and glands: aligned."""
    return (
        Case()
        .with_volume(pair.us)
        .with_volume(pair.mr)
        .with_prediction(predicted_landmarks(Space.US, US_POINTS), pair.us_gland)
        .with_prediction(predicted_landmarks(Space.MR, MR_POINTS, seed=4), pair.mr_gland)
    )


def second_landmarks(first):
    """A second network's answer: far from the first at the apex, near it elsewhere."""
    far_mm = [0.0, 0.0, FAR_APART_MM[first.space] + 5]
    marks = (
        replace(
            mark,
            position_mm=mark.position_mm + (far_mm if mark.name == "apex" else [0.0, 0.0, 1.5]),
            provenance="second network",
        )
        for mark in first.values()
    )
    return LandmarkSet(first.space, tuple(marks))


@pytest.fixture
def case_of_two(case):
    """The same case, detected by two networks."""
    for space in (Space.US, Space.MR):
        first = case.predicted(space)
        case = case.with_prediction(first, case.gland(space), second_landmarks(first))
    return case


@pytest.fixture
def session(qapp, case):
    session = Session()
    session.open_case(case)
    return session


class TruePointsPredictor:
    """Answers with the known points; a predictor as the window sees one."""

    def __init__(self, pair):
        self._glands = {Space.US: pair.us_gland, Space.MR: pair.mr_gland}

    def __call__(self, volume, *, progress, cancelled):
        progress(0.5, f"Finding landmarks in {volume.space.upper()}")
        points = US_POINTS if volume.space is Space.US else MR_POINTS
        found = predicted_landmarks(volume.space, points)
        return SimpleNamespace(
            landmarks=found,
            gland=self._glands[volume.space],
            second=second_landmarks(found),
            quality={"warnings": ()},
        )


@pytest.fixture
def make_window(qapp, pair, tmp_path):
    """Makes main windows with inline jobs; closes them at the end."""
    apply_theme(qapp, DARK)
    made = []

    def make(
        case=None,
        *,
        read=None,
        predict=None,
        detect_job=None,
        export=None,
        read_targets=None,
        learn_prior=None,
        **more,
    ):
        session = Session()
        opening = Opening(session, read or _refuse, InlineJob(), prepare=sampler_for)
        predictor = predict or TruePointsPredictor(pair)
        detecting = Detecting(session, predictor, detect_job or InlineJob())
        exporting = None if export is None else Exporting(session, export, InlineJob())
        services = Services(
            opening,
            detecting,
            exporting,
            None if read_targets is None else ReadingTargets(session, read_targets, InlineJob()),
            Saving(session, InlineJob()),
            learning_prior=None
            if learn_prior is None
            else LearningPrior(session, learn_prior, InlineJob()),
            open_demo=lambda _read: Case().with_volume(pair.us).with_volume(pair.mr),
            **more,
        )
        window = MainWindow(session, Preferences(tmp_path / "settings.ini"), services)
        window.opening, window.detecting = opening, detecting
        if case is not None:
            session.open_case(case)
        made.append(window)
        return window

    yield make
    for window in made:
        window.close()
        window.deleteLater()


@pytest.fixture
def scene(make_window, case, qtbot):
    """The 3D view of a shown window on the aligned pair, drawn once."""
    window = make_window(case)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.scene_place.scene is not None)
    scene = window.scene_place.scene
    qtbot.waitUntil(scene.isVisible)
    scene.place = window.scene_place
    scene.render_now()
    return scene


@pytest.fixture
def picture_of(tmp_path):
    """The scene as it is drawn: (rows, columns, 3), from its picture file."""

    def take(scene):
        path = tmp_path / "scene.png"
        scene.save_picture(path)
        image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGBX8888)
        flat = np.frombuffer(image.constBits(), np.uint8)
        return flat.reshape(image.height(), image.width(), 4)[..., :3].astype(int)

    return take


def _refuse(path, *, space, series_uid=None, cancelled=None):
    from fusioninit.errors import ReadError

    raise ReadError(f"{path.name}: no such file; check the name")
