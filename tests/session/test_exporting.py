from pathlib import Path

import pytest

from fusioninit.session import Exporting, InlineJob, Session


@pytest.mark.parametrize("keep", [False, True])
def test_the_identity_leaves_only_where_it_is_asked_for(qapp, tmp_path, keep):
    asked = []

    def export(case, folder, *, keep_identity, progress, cancelled):
        asked.append((case, folder, keep_identity))
        return {"report": folder / "report.pdf"}

    session = Session()
    exporting = Exporting(session, export, InlineJob())
    done: list[tuple[Path, dict]] = []
    exporting.exported.connect(lambda folder, files: done.append((folder, files)))
    if keep:
        exporting.start(tmp_path, keep_identity=True)
    else:
        exporting.start(tmp_path)
    assert asked == [(session.case, tmp_path, keep)]
    assert done == [(tmp_path, {"report": tmp_path / "report.pdf"})]
