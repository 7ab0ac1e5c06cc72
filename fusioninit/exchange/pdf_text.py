"""The text of a PDF written here, page by page: enough to prove that a report says what it should.

It follows the file's own tables (trailer, pages, contents) and unpacks each page's drawing
instructions; it is no reader for other programs' PDFs.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from fusioninit.exchange.frames import WrittenFileError

_OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)(?:(stream\r?\n)|endobj)", re.DOTALL)
_STREAM_END = re.compile(rb"\s*endstream\b")
_XREF = re.compile(rb"xref\s+0 (\d+)\s+")
_ENTRY_BYTES = 20
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\)\s*Tj")
_ESCAPED = re.compile(r"\\([0-7]{3}|.)")


@dataclass(frozen=True)
class _Object:
    """What an object says of itself, and the bytes of its stream where it has one."""

    head: bytes
    stream: bytes = b""


def read_pages(path: Path) -> list[str]:
    """The text of every page, pieces in drawing order joined by blanks.

    Raises
    ------
    WrittenFileError
        The file is cut short, or its tables lead nowhere.
    """
    raw = path.read_bytes()
    start = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", raw)
    table = _XREF.match(raw, int(start[1])) if start is not None else None
    if not raw.startswith(b"%PDF-") or table is None:
        raise WrittenFileError(f"{path.name}: read back, it is no whole PDF")
    try:
        objects = _objects(raw, table.end(), int(table[1]))
        return [_page_text(objects, number) for number in _page_numbers(objects)]
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise WrittenFileError(f"{path.name}: read back, a page of it is damaged") from error


def _objects(raw: bytes, first_entry: int, count: int) -> dict[int, _Object]:
    """Every object in use, found where the table says and never by a look into packed bytes."""
    objects = {}
    for number in range(count):
        entry = raw[first_entry + number * _ENTRY_BYTES :][:_ENTRY_BYTES].split()
        if entry[2] != b"n":
            continue
        found = _OBJECT.match(raw, int(entry[0]))
        if found is None or int(found[1]) != number:
            raise KeyError(number)
        objects[number] = _Object(found[2], _stream(raw, found))
    return objects


def _stream(raw: bytes, found: re.Match[bytes]) -> bytes:
    """The bytes of a stream, by its stated length: packed bytes may end like a line, or hold words.

    An object without a stream has none.
    """
    if found[3] is None:
        return b""
    length = re.search(rb"/Length (\d+)", found[2])
    if length is None:
        raise KeyError("Length")
    end = found.end() + int(length[1])
    if _STREAM_END.match(raw, end) is None:
        raise ValueError("a stream does not end where it says")
    return raw[found.end() : end]


def _page_numbers(objects: dict[int, _Object]) -> list[int]:
    trees = [one.head for one in objects.values() if re.search(rb"/Type /Pages\b", one.head)]
    kids = re.search(rb"/Kids \[(.*?)\]", trees[0], re.DOTALL) if trees else None
    if kids is None:
        raise KeyError("Kids")
    return [int(number) for number in re.findall(rb"(\d+) 0 R", kids[1])]


def _page_text(objects: dict[int, _Object], page: int) -> str:
    contents = re.search(rb"/Contents (\d+) 0 R", objects[page].head)
    if contents is None:
        raise KeyError(page)
    drawing = objects[int(contents[1])]
    packed = b"/FlateDecode" in drawing.head
    drawn = zlib.decompress(drawing.stream) if packed else drawing.stream
    return " ".join(_plain(piece.decode("latin-1")) for piece in _SHOWN.findall(drawn))


def _plain(text: str) -> str:
    codes = _ESCAPED.sub(lambda m: chr(int(m[1], 8)) if len(m[1]) == 3 else m[1], text)
    # the standard fonts are encoded as Windows Latin 1
    return codes.encode("latin-1").decode("cp1252", "replace")
