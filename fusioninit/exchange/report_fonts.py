"""Fonts for names in any script: a report's own fonts know Latin letters only.

A font that has the letters is looked for among those of the computer and embedded. Where there is
none, the letters are replaced by question marks; tables and the sidecar have them all the same.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

_log = logging.getLogger(__name__)

_NAMES = (
    "DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf", "Arial.ttf", "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf", "msgothic.ttc", "YuGothR.ttc", "msyh.ttc", "simsun.ttc",
    "malgun.ttf", "Nirmala.ttf", "tahoma.ttf", "wqy-zenhei.ttc", "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf", "DroidSansFallback.ttf", "fonts-japanese-gothic.ttf",
    "ipag.ttf", "NanumGothic.ttf",
)  # fmt: skip
"""Files of fonts that come with Windows, macOS and Linux, those of most scripts first."""

_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff]+(?: +[\u0590-\u08ff]+)*")


def marked_up(text: str) -> str:
    """`text` for a reportlab paragraph, in a font that has its letters."""
    foreign = frozenset(letter for letter in text if not _is_latin(letter))
    if not foreign:
        return escape(text)
    font = _font_with(foreign)
    if font is None:
        return escape("".join("?" if letter in foreign else letter for letter in text))
    return f'<font name="{font}">{escape(_in_drawing_order(text))}</font>'


def _in_drawing_order(text: str) -> str:
    """Hebrew and Arabic turned round: letters are drawn from left to right, and unjoined."""
    return _RIGHT_TO_LEFT.sub(lambda run: run[0][::-1], text)


def _is_latin(letter: str) -> bool:
    """Whether the standard fonts of PDF have it."""
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


@cache
def _font_with(letters: frozenset[str]) -> str | None:
    """The name of a registered font with all of `letters`, if the computer has one."""
    for font in _fonts():
        if all(ord(letter) in font.face.charToGlyph for letter in letters):
            pdfmetrics.registerFont(font)
            return str(font.fontName)
    return None


def _fonts() -> Iterator[TTFont]:
    places = _font_files()
    for name in _NAMES:
        if name in places:
            font = _opened(places[name])
            if font is not None:
                yield font


@cache
def _opened(path: Path) -> TTFont | None:
    try:
        return TTFont(f"fusioninit-{path.stem}", str(path))
    except (TTFError, OSError, ValueError, KeyError) as problem:
        _log.debug("font %s cannot be used: %s", path.name, problem)
        return None


@cache
def _font_files() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in _font_folders():
        for path, _, files in os.walk(folder):
            found |= {file: Path(path) / file for file in files if file in _NAMES}
    return found


def _font_folders() -> tuple[Path, ...]:
    if sys.platform == "win32":
        return (Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts",)
    if sys.platform == "darwin":
        return (Path("/System/Library/Fonts"), Path("/Library/Fonts"))
    return (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
