"""Everything a person can do from menus, toolbar and keys, as one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fusioninit.geometry import Space
from fusioninit.gui.theme import SPACE_NAME
from fusioninit.gui.view_grid import LAYOUTS
from fusioninit.gui.view_state import FusionMode
from fusioninit.gui.window_presets import WINDOW_PRESETS
from fusioninit.landmarks import LABELS, REQUIRED_NAMES, LandmarkName
from fusioninit.registration import LandmarkFit

if TYPE_CHECKING:
    from fusioninit.gui.main_window import MainWindow

Intent = Callable[["MainWindow"], object]
Condition = Callable[["MainWindow"], bool]


def always(_window: MainWindow) -> bool:
    """Enabled at all times."""
    return True


def has_volume(window: MainWindow) -> bool:
    """Enabled once a volume is open."""
    return window.session.case.us is not None or window.session.case.mr is not None


def has_second(window: MainWindow) -> bool:
    """Enabled where a second network answered for one of the images."""
    return bool(window.session.case.us_second or window.session.case.mr_second)


def _second_has_chosen(window: MainWindow) -> bool:
    selection = window.view_state.selection
    return selection is not None and selection[1] in window.session.case.second(selection[0])


def _is_shown(flag: str) -> Condition:
    return lambda window: window.view_state.flag(flag)


def _toggle(flag: str) -> Intent:
    return lambda window: window.view_state.set_flag(flag, shown=not window.view_state.flag(flag))


def is_aligned(window: MainWindow) -> bool:
    """Enabled once a transform is known."""
    return isinstance(window.session.case.registration, LandmarkFit)


def _has(space: Space) -> Condition:
    return lambda window: window.session.case.volume(space) is not None


@dataclass(frozen=True)
class Action:
    """One entry: where it stands, what it is called, which keys, what it does, and when.

    `menu` is a menu of the bar, or one inside it: "menu/submenu". `short` is the toolbar's text.
    """

    name: str
    menu: str
    text: str
    keys: str = ""
    intent: Intent = always
    enabled: Condition = always
    icon: str = ""
    tip: str = ""
    begins_group: bool = False
    checked: Condition | None = None
    """Of an entry that is on or off."""
    short: str = ""


def _detect(window: MainWindow) -> None:
    window.detect((Space.MR, Space.US))


def _jump(name: LandmarkName) -> Intent:
    return lambda window: window.views.jump_to(name)


def _layout(name: str) -> Intent:
    return lambda window: window.views.show_layout(name)


def _window(space: Space, preset: str) -> Intent:
    return lambda window: window.views.set_window_preset(space, preset)


def _page(number: int) -> Intent:
    return lambda window: window.show_page(number)


def _mode(mode: FusionMode) -> Intent:
    return lambda window: window.view_state.set_mode(mode)


ACTIONS: tuple[Action, ...] = (
    Action("open_mr", "&File", "Open &MR…", "Ctrl+M", lambda w: w.files.choose_file(Space.MR),
           icon="folder-open-outline", tip="Open the MR volume from a file"),
    Action("open_us", "&File", "Open &US…", "Ctrl+U", lambda w: w.files.choose_file(Space.US),
           icon="folder-open-outline", tip="Open the ultrasound volume from a file"),
    Action("open_mr_folder", "&File", "Open MR DICOM folder…", "Ctrl+Shift+M",
           lambda w: w.files.choose_folder(Space.MR)),
    Action("open_us_folder", "&File", "Open US DICOM folder…", "Ctrl+Shift+U",
           lambda w: w.files.choose_folder(Space.US)),
    Action("place_us", "&File", "State how the US lies…", "",
           lambda w: w.geometry_guard.ask(Space.US), lambda w: w.session.case.us is not None,
           tip="Voxel size and directions of a volume whose file states none or wrong ones"),
    Action("place_mr", "&File", "State how the MR lies…", "",
           lambda w: w.geometry_guard.ask(Space.MR), lambda w: w.session.case.mr is not None),
    Action("open_case", "&File", "&Open case…", "Ctrl+O", lambda w: w.files.choose_case(),
           begins_group=True),
    Action("demo", "&File", "Open the &demo", "", lambda w: w.open_demo(), lambda w: w.has_demo,
           icon="flask-outline", tip="Open the bundled synthetic pair", short="Demo"),
    Action("save", "&File", "&Save case", "Ctrl+S", lambda w: w.files.save(), has_volume,
           icon="content-save-outline", tip="Save the case", begins_group=True, short="Save"),
    Action("save_as", "&File", "Save case &as…", "Ctrl+Shift+S", lambda w: w.files.save_as(),
           has_volume),
    Action("save_whole", "&File", "Save case with &images…", "",
           lambda w: w.files.save_with_images(), has_volume,
           tip="Save the case together with copies of its images, to take it elsewhere"),
    Action("export", "&File", "&Export…", "Ctrl+E", lambda w: w.files.export(),
           lambda w: is_aligned(w) and w.can_export, icon="export-variant",
           tip="Export transform, landmarks and report, read back and verified"),
    Action("preferences", "&File", "&Preferences…", "Ctrl+,", lambda w: w.show_preferences(),
           begins_group=True),
    Action("quit", "&File", "&Quit", "Ctrl+Q", lambda w: w.close(), begins_group=True),
    Action("undo", "&Edit", "&Undo", "Ctrl+Z", lambda w: w.session.undo(),
           lambda w: w.session.undo_stack.canUndo(), icon="undo", tip="Undo"),
    Action("redo", "&Edit", "&Redo", "Ctrl+Shift+Z", lambda w: w.session.redo(),
           lambda w: w.session.undo_stack.canRedo(), icon="redo", tip="Redo"),
    Action("detect", "&Landmarks", "&Detect landmarks", "Ctrl+D", _detect,
           lambda w: has_volume(w) and w.can_detect, icon="radar",
           tip="Find the landmarks of both images with the networks", short="Detect"),
    Action("detect_mr", "&Landmarks", "Detect in MR only", "", lambda w: w.detect((Space.MR,)),
           lambda w: w.session.case.mr is not None and w.can_detect),
    Action("detect_us", "&Landmarks", "Detect in US only", "", lambda w: w.detect((Space.US,)),
           lambda w: w.session.case.us is not None and w.can_detect),
    Action("detect_one", "&Landmarks", "Detect the chosen one again", "D",
           lambda w: w.detect_selected(),
           lambda w: w.can_detect and w.view_state.selection is not None),
    Action("confirm", "&Landmarks", "&Confirm / unconfirm", "C",
           lambda w: w.landmarks.confirm_selected(), begins_group=True),
    Action("lock", "&Landmarks", "Loc&k / unlock", "L", lambda w: w.landmarks.lock_selected()),
    Action("revert", "&Landmarks", "Re&vert to the prediction", "V",
           lambda w: w.landmarks.revert_selected()),
    Action("place", "&Landmarks", "&Place at crosshair", "P",
           lambda w: w.landmarks.place_selected()),
    Action("use_second", "&Landmarks", "&Use the second network's position", "U",
           lambda w: w.landmarks.use_second_for_selected(), _second_has_chosen,
           tip="Put the chosen landmark where the second network has it"),
    Action("use_second_all", "&Landmarks", "Use the second network's positions for all", "Shift+U",
           lambda w: w.session.use_second_for_all(), has_second,
           tip="Put all landmarks that are not locked, in both images, where the second network "
           "has them"),
    Action("delete", "&Landmarks", "De&lete", "Del", lambda w: w.landmarks.delete_selected()),
    Action("add_target", "&Landmarks", "Add &target at crosshair", "T",
           lambda w: w.targets.add_at_crosshair(), lambda w: w.session.case.mr is not None,
           begins_group=True),
    Action("load_targets", "&Landmarks", "Load targets…", "Ctrl+T",
           lambda w: w.files.choose_targets(), lambda w: w.can_load_targets,
           tip="Targets of the MR: a point list, mask, STL, DICOM SEG or RTSTRUCT"),
    Action("tour", "&Landmarks", "Review t&our", "G", lambda w: w.tour.begin(), is_aligned,
           begins_group=True),
    Action("tour_next", "&Landmarks", "Next stop of the tour", "N", lambda w: w.tour.step(1)),
    Action("tour_back", "&Landmarks", "Previous stop of the tour", "Shift+N",
           lambda w: w.tour.step(-1)),
    Action("decide", "&Landmarks", "Deci&de…", "Ctrl+Return",
           lambda w: w.review.initials.setFocus(), is_aligned),
    *(Action(f"jump_{number}", "&Landmarks", f"Go to {LABELS[name].lower()}", str(number),
             _jump(name), begins_group=number == 1)
      for number, name in enumerate(REQUIRED_NAMES, start=1)),
    *(Action(f"layout_{name}", "&View/&Layout", name, f"F{number}", _layout(name))
      for number, name in enumerate(LAYOUTS, start=2)),
    *(Action(f"mode_{mode.name.lower()}", "&View", mode.value, keys, _mode(mode),
             begins_group=mode is FusionMode.BLEND)
      for mode, keys in zip(FusionMode, ("B", "K", "W", "E", "F", "", ""), strict=True)),
    Action("toggle", "&View", "MR / US in turn", "Space", lambda w: w.views.toggle_volume()),
    Action("second_marks", "&View", "&Second network's landmarks", "S", _toggle("second"),
           has_second, tip="Show where the second network has each landmark, as a diamond",
           checked=_is_shown("second")),
    Action("turning", "&View", "Turn &planes by hand", "O", _toggle("turning"), has_volume,
           tip="Handles on the crosshair: drag one to turn the other two planes (oblique slices)",
           checked=_is_shown("turning")),
    Action("level", "&View", "Le&vel planes", "Shift+O", lambda w: w.view_state.level_planes(),
           lambda w: w.view_state.has_turned_planes,
           tip="Axial, sagittal and coronal planes of the patient again"),
    *(Action(f"window_{space}_{preset}", f"&View/Window of {SPACE_NAME[space]}",
             preset.capitalize(), "", _window(space, preset),
             _has(space))
      for space in (Space.US, Space.MR) for preset in WINDOW_PRESETS),
    Action("zoom_in", "&View", "Zoom &in", "Ctrl++", lambda w: w.views.zoom(1.25),
           begins_group=True),
    Action("zoom_out", "&View", "Zoom &out", "Ctrl+-", lambda w: w.views.zoom(0.8)),
    Action("maximise", "&View", "&Maximise the view / all views", "M",
           lambda w: w.grid.toggle_focused()),
    Action("reset", "&View", "&Reset views", "R", lambda w: w.views.reset()),
    Action("sidebar", "&View", "&Side panel", "F9", lambda w: w.toggle_sidebar(),
           begins_group=True),
    *(Action(f"page_{number}", "&View", f"Side panel: {title}", f"Ctrl+{number}",
             _page(number - 1))
      for number, title in enumerate(("landmarks", "targets", "needle plan"), start=1)),
    Action("manual", "&Help", "&Manual", "F1", lambda w: w.show_manual(),
           icon="book-open-variant"),
    Action("shortcuts", "&Help", "&Keyboard and mouse", "Shift+F1", lambda w: w.show_shortcuts(),
           icon="keyboard-outline"),
    Action("about", "&Help", "&About fusioninit", "", lambda w: w.show_about()),
)  # fmt: skip

TOOLBAR: tuple[str | None, ...] = (
    "open_mr", "open_us", "demo", None, "detect", None, "undo", "redo", None, "save", "export",
)  # fmt: skip
"""Names of actions; None is a separator."""
