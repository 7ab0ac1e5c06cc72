import pytest

from fusioninit.errors import ReadError
from fusioninit.state import Journal, read_journal


def test_every_append_is_a_line_on_disk_at_once(tmp_path):
    path = tmp_path / "deep" / "journal.jsonl"
    journal = Journal(path)
    for number in range(3):
        journal.append(f"edit {number}", {"n": number})
        assert [entry.state["n"] for entry in read_journal(path)] == list(range(number + 1))


def test_a_torn_last_line_is_dropped(tmp_path):
    path = tmp_path / "journal.jsonl"
    Journal(path).append("whole", {})
    with path.open("a") as stream:
        stream.write('{"time": "2026-01-01", "act')
    assert [entry.action for entry in read_journal(path)] == ["whole"]


@pytest.mark.parametrize("damage", [b"garbage\n", b'{"action": "\xff"}\n'])
def test_a_damaged_line_within_is_named(tmp_path, damage):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(damage)
    Journal(path).append("whole", {})
    with pytest.raises(ReadError, match="line 1 of the journal is damaged"):
        read_journal(path)
