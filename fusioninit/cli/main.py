"""Parse the command line, run one command, and turn its outcome into an exit status."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from fusioninit import __version__
from fusioninit.cli.output import Status, tell
from fusioninit.errors import InputError, VoxelSizeNeededError
from fusioninit.imaging.isolation import READ_CHILD

COMMANDS = ("gui", "demo", "info", "detect", "register", "phantom", "train", "evaluate", "selftest")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `fusioninit ARGUMENTS` and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == [READ_CHILD]:
        return int(import_module("fusioninit.imaging.child").main(words[1:]))
    if not words or (words[0] not in COMMANDS and not words[0].startswith("-")):
        words = ["gui", *words]
    parser = build_parser()
    options = parser.parse_args(words)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    command = import_module(f"fusioninit.cli.{options.command}_command")
    try:
        return int(command.run(options))
    except VoxelSizeNeededError as problem:
        tell(f"fusioninit: {problem} ({_stating_options(options.command)})")
        return Status.UNUSABLE_INPUT
    except InputError as problem:
        tell(f"fusioninit: {problem}")
        return Status.UNUSABLE_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as problem:  # a full disk, a folder that may not be written
        tell(f"fusioninit: {_sentence(problem)}")
        return Status.UNUSABLE_INPUT
    except KeyboardInterrupt:
        tell("fusioninit: stopped")
        return 130


def _stating_options(command: str) -> str:
    """The options by which a person states the geometry of a file to a command."""
    if command == "register":
        return "--us-spacing and --us-orientation, or --mr-spacing and --mr-orientation"
    return "--spacing and --orientation"


def _sentence(problem: OSError) -> str:
    """What the system refused, where, and what to do."""
    if problem.strerror is None:
        return str(problem)
    where = Path(str(problem.filename)).name if problem.filename else "a file"
    return f"{where}: {problem.strerror.lower()}; choose another place, or make room there"


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; each command's module holds its `run`."""
    parser = argparse.ArgumentParser(
        prog="fusioninit",
        description="MR/ultrasound fusion initialisation for prostate biopsy planning. "
        "Research use only; not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"fusioninit {__version__}")
    parser.add_argument("--verbose", action="store_true", help="log details to stderr")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_window(commands)
    _add_volume_commands(commands)
    _add_register(commands)
    _add_phantom(commands)
    for name, text in (("train", "train a network"), ("evaluate", "write tables and plots")):
        command = commands.add_parser(name, help=f"{text} as CONFIG.toml says")
        command.add_argument("config", type=Path, metavar="CONFIG.toml")
        if name == "train":
            command.add_argument(
                "--resume", action="store_true", help="go on from the last checkpoint"
            )
    selftest = commands.add_parser("selftest", help="check this installation on this machine")
    selftest.add_argument("--json", action="store_true")
    return parser


_WEIGHTS_HELP = "a network of your own, with its card beside it, instead of the bundled one"

_Commands = argparse._SubParsersAction  # argparse names no public type for this


def _add_window(commands: _Commands) -> None:
    gui = commands.add_parser("gui", help="open the window (the default)")
    gui.add_argument("case", nargs="?", type=Path, metavar="CASE", help="a folder or a saved case")
    gui.add_argument("--mr", type=Path, metavar="PATH")
    gui.add_argument("--us", type=Path, metavar="PATH")
    demo = commands.add_parser("demo", help="the bundled synthetic pair")
    demo.add_argument("--headless", action="store_true", help="no window: register and report")
    demo.add_argument("--out", type=Path, metavar="DIR", default=Path("fusioninit-demo"))
    demo.add_argument("--json", action="store_true")


def _add_volume_commands(commands: _Commands) -> None:
    info = commands.add_parser("info", help="geometry, series choice and warnings of a volume")
    info.add_argument("volume", type=Path, metavar="VOLUME")
    info.add_argument("--modality", choices=("mr", "us"), default="mr")
    info.add_argument("--series", metavar="UID", help="DICOM series to read")
    _add_stated_geometry(info)
    info.add_argument("--json", action="store_true")
    detect = commands.add_parser("detect", help="find the landmarks of a volume")
    detect.add_argument("volume", type=Path, metavar="VOLUME")
    detect.add_argument("--modality", choices=("mr", "us"), required=True)
    detect.add_argument("--out", type=Path, required=True, metavar="FILE.mrk.json")
    detect.add_argument("--series", metavar="UID", help="DICOM series to read")
    detect.add_argument("--weights", type=Path, metavar="FILE.safetensors", help=_WEIGHTS_HELP)
    _add_stated_geometry(detect)
    detect.add_argument("--json", action="store_true")


def _add_stated_geometry(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--spacing", metavar="I,J,K", help="voxel size in mm, for a file that states none"
    )
    command.add_argument(
        "--orientation", default="", metavar="LPS", help="where i, j, k point, likewise"
    )


def _add_register(commands: _Commands) -> None:
    register = commands.add_parser("register", help="find the transform from MR to US")
    for name in ("mr", "us"):
        register.add_argument(f"--{name}", type=Path, metavar="PATH")
        register.add_argument(f"--{name}-landmarks", type=Path, metavar="FILE")
        register.add_argument(f"--{name}-mask", type=Path, metavar="FILE")
        register.add_argument(
            f"--{name}-weights", type=Path, metavar="FILE.safetensors", help=_WEIGHTS_HELP
        )
        register.add_argument(f"--{name}-series", metavar="UID")
        register.add_argument(f"--{name}-spacing", metavar="I,J,K")
        register.add_argument(f"--{name}-orientation", default="", metavar="LPS")
    register.add_argument("--series", dest="mr_series", metavar="UID", help="same as --mr-series")
    register.add_argument(
        "--targets", type=Path, metavar="FILE", help="in the MR: points, mask, STL, SEG, RTSTRUCT"
    )
    register.add_argument("--out", type=Path, required=True, metavar="DIR")
    register.add_argument(
        "--keep-identity", action="store_true", help="name the patient in what is exported"
    )
    register.add_argument("--estimator", default="svd", metavar="NAME")
    prior = register.add_mutually_exclusive_group()
    prior.add_argument(
        "--probe",
        choices=["unknown", "end-fire", "side-fire"],
        help="how the probe's beam leaves it: how far MR and US are usually turned apart",
    )
    prior.add_argument(
        "--prior",
        type=Path,
        metavar="FOLDER",
        help="learn what poses are usual from the accepted exports below this folder",
    )
    register.add_argument("--json", action="store_true")


def _add_phantom(commands: _Commands) -> None:
    phantom = commands.add_parser("phantom", help="write synthetic MR/US pairs with their truth")
    phantom.add_argument("--count", type=int, required=True, metavar="N")
    phantom.add_argument("--seed", type=int, required=True, metavar="S")
    phantom.add_argument("--out", type=Path, required=True, metavar="DIR")
