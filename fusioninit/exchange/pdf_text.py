"""The text of a PDF written here, page by page: enough to prove that a report says what it should.

It follows the file's own tables (trailer, pages, contents) and unpacks each page's drawing
instructions; it is no reader for other programs' PDFs.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from fusioninit.exchange.frames import WrittenFileError

_OBJECT = re.compile(rb"^(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL | re.MULTILINE)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\)\s*Tj")
_ESCAPED = re.compile(r"\\([0-7]{3}|.)")


def read_pages(path: Path) -> list[str]:
    """The text of every page, pieces in drawing order joined by blanks.

    Raises
    ------
    WrittenFileError
        The file is cut short, or its tables lead nowhere.
    """
    raw = path.read_bytes()
    start = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", raw)
    if not raw.startswith(b"%PDF-") or start is None or raw[int(start[1]) :][:4] != b"xref":
        raise WrittenFileError(f"{path.name}: read back, it is no whole PDF")
    objects = {int(number): body for number, body in _OBJECT.findall(raw)}
    try:
        return [_page_text(objects, number) for number in _page_numbers(objects)]
    except (KeyError, TypeError, zlib.error) as error:
        raise WrittenFileError(f"{path.name}: read back, a page of it is damaged") from error


def _page_numbers(objects: dict[int, bytes]) -> list[int]:
    tree = next(body for body in objects.values() if re.search(rb"/Type /Pages\b", body))
    kids = re.search(rb"/Kids \[(.*?)\]", tree, re.DOTALL)
    assert kids is not None
    return [int(number) for number in re.findall(rb"(\d+) 0 R", kids[1])]


def _page_text(objects: dict[int, bytes], page: int) -> str:
    contents = re.search(rb"/Contents (\d+) 0 R", objects[page])
    if contents is None:
        raise KeyError(page)
    body = objects[int(contents[1])]
    stream = _STREAM.search(body)
    if stream is None:
        raise KeyError(page)
    drawn = zlib.decompress(stream[1]) if b"/FlateDecode" in body else stream[1]
    return " ".join(_plain(piece.decode("latin-1")) for piece in _SHOWN.findall(drawn))


def _plain(text: str) -> str:
    codes = _ESCAPED.sub(lambda m: chr(int(m[1], 8)) if len(m[1]) == 3 else m[1], text)
    # the standard fonts are encoded as Windows Latin 1
    return codes.encode("latin-1").decode("cp1252", "replace")
