"""The README's session is run as it stands."""

import doctest
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_session_in_the_readme_runs_as_printed():
    text = README.read_text(encoding="utf-8")
    session = text.split("```python\n")[1].split("```")[0]
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", str(README), 0)
    assert len(test.examples) > 5
    report: list[str] = []
    results = doctest.DocTestRunner().run(test, out=report.append)
    assert results.failed == 0, "".join(report)
