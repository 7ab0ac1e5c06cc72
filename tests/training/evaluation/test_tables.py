import pytest

from fusioninit.geometry import Space
from fusioninit.registration.disagreement import FAR_APART_MM
from fusioninit.training.evaluation.detection_tables import (
    coverage_table,
    radial_error_table,
    shift_table,
)
from fusioninit.training.evaluation.records import (
    Attempt,
    LandmarkError,
    ManualErrors,
    TargetError,
    TwoAnswers,
)
from fusioninit.training.evaluation.registration_tables import (
    SRE,
    gain_table,
    histogram_table,
    manual_table,
    registration_table,
    target_table,
)
from fusioninit.training.evaluation.tables import Heading, Table
from fusioninit.training.evaluation.two_answer_tables import suggested_limit_mm, two_answer_tables

HEADING = Heading(
    "fusioninit evaluate x.toml", ["a: MR m sha256 0123"], "2 pairs, seeds 1 to 2.", "2 of 2 cases"
)


def landmark_rows(method, errors_mm, *, space="mr", landmark="apex"):
    return [
        LandmarkError("s", str(case), method, space, landmark, error, error, 0, -error, error, True)
        for case, error in enumerate(errors_mm)
    ]


def two_answers(apart_and_error_mm, *, landmark="apex"):
    """One landmark a case; the second network errs 1 mm more, the mean of both 1 mm less."""
    return [
        TwoAnswers("s", str(case), "a", "us", landmark, apart, error, error + 1, error - 1)
        for case, (apart, error) in enumerate(apart_and_error_mm)
    ]


def attempts(estimator, sre_mm, *, points="automatic", unsolved=()):
    return [
        Attempt("s", str(case), points, "none", estimator, value, value, 2 * value, 1.0, 0.8, "")
        for case, value in enumerate(sre_mm)
    ] + [
        Attempt("s", f"u{n}", points, "none", estimator, *[float("nan")] * 5, reason)
        for n, reason in enumerate(unsolved)
    ]


def row_of(table, label):
    (row,) = [row for row in table.rows if row[0] == label]
    return row


def test_table_1_marks_what_differs_from_the_baseline_and_from_variance():
    errors = [4.0 + 0.1 * case for case in range(20)]
    rows = [
        *landmark_rows("dsnt", errors),
        *landmark_rows("variance", [error - 0.5 for error in errors]),
        *landmark_rows("distance", [error - 1.0 for error in errors]),
    ]
    table = radial_error_table(rows, baseline="dsnt", variance="variance")
    assert row_of(table, "dsnt")[1:] == ["4.95 ± 0.58", "-"]
    assert row_of(table, "variance")[1] == "4.45 ± 0.58*"
    assert row_of(table, "distance")[1] == "3.95 ± 0.58*†"
    assert row_of(table, "paper: distance map") == [
        "paper: distance map",
        "5.77 ± 2.67*†",
        "5.55 ± 2.63*",
    ]
    assert "private data set" in table.note


def test_table_1_leaves_the_auxiliary_points_out():
    rows = landmark_rows("a", [3.0, 5.0]) + landmark_rows("a", [90.0], landmark="left_lateral")
    assert radial_error_table(rows, baseline=None, variance=None).rows[0][1] == "4.00 ± 1.00"


def test_a_systematic_shift_is_told_by_axis():
    assert shift_table(landmark_rows("a", [1.0, 2.0])).rows[0][:3] == [
        "a",
        "MR",
        "+1.5, +0.0, -1.5",
    ]


def test_what_disagreement_says_of_the_error_is_counted():
    limit = FAR_APART_MM[Space.US]
    agree = [(0.1 + 0.01 * n, 2.0 + 0.1 * n) for n in range(17)]
    rows = two_answers([*agree, (limit + 1, 4.0), (limit + 2, 12.0), (limit - 0.1, 8.0)])
    rows += two_answers([(99.0, 99.0)], landmark="left_lateral")
    apart, mean = two_answer_tables(rows)
    row = dict(zip(apart.columns, apart.rows[0], strict=True))
    assert row["Image"] == "US"
    assert row["Rank correlation with the error"] == "1.00"
    assert row["Error, most apart tenth"] == "8.00"
    assert row["Error, other nine tenths"] == "3.09"
    assert row["Error where they disagree"] == "8.00"
    assert row["Disagree"] == "10.0 %"
    assert row["False alarms"] == "5.6 %"
    assert row["Errors of 5 mm and more warned of"] == "50.0 %"
    assert row["Images warned of"] == "10.0 %"
    assert row["Good images warned of"] == "5.6 %"
    assert [cell.rstrip("*") for cell in mean.rows[0][2:]] == [
        "3.58 ± 2.29",
        "4.58 ± 2.29",
        "2.58 ± 2.29",
    ]


def test_the_suggested_limit_is_exceeded_by_five_in_a_hundred_good_landmarks():
    rows = two_answers([(float(n), 1.0) for n in range(101)] + [(500.0, 9.0)])
    assert suggested_limit_mm(rows) == 95.0
    assert suggested_limit_mm(two_answers([(0.1, 1.0), (0.2, 1.0)])) == 5.0


def test_where_one_network_looked_there_is_no_table_of_two():
    assert two_answer_tables([]) == []


def test_points_outside_the_image_do_not_count_for_coverage():
    outside = LandmarkError("s", "9", "a", "mr", "apex", 50.0, 50.0, 0, 0, 99.0, False)
    rows = [*landmark_rows("a", [1.0, 5.0, 7.0, 9.0]), outside]
    assert coverage_table(rows).rows[0][2:5] == ["25.0 %", "75.0 %", "75.0 %"]


def test_table_2_counts_what_was_not_solved():
    rows = attempts("svd", [4.0, 6.0], unsolved=["on one line"])
    table = registration_table(rows, observer="")
    assert row_of(table, "automatic, svd") == [
        "automatic, svd",
        "2 of 3",
        "5.00 ± 1.00",
        "5.00",
        "5.00 ± 1.00",
        "0.80 ± 0.00",
        "10.0 ± 2.0",
    ]
    assert row_of(table, "paper: network, svd")[2] == "6.62 ± 3.97"


def test_gains_compare_the_same_cases_with_automatic_and_manual_least_squares():
    rows = [
        *attempts("svd", [10.0, 10.0, 99.0]),
        *attempts("auto", [6.0, 10.0]),
        *attempts("svd", [5.0, 5.0], points="manual"),
    ]
    gains = {tuple(row[:2]): row[2:4] for row in gain_table(rows).rows}
    assert gains["automatic, auto", "automatic, svd"] == ["2", "-20 %"]
    assert gains["automatic, auto", "manual, svd"] == ["2", "+60 %"]
    assert ("automatic, svd", "automatic, svd") not in gains


def test_detected_points_stand_beside_the_mean_of_many_observers():
    manual = [ManualErrors("s", str(n), "svd", 200, sre, sre - 1) for n, sre in enumerate([3, 5])]
    table = manual_table(attempts("svd", [10.0, 10.0]), manual)
    assert table.rows == [
        ["manual, svd, 200 observers a case", "2", "4.00 ± 1.00", "3.00 ± 1.00"],
        ["automatic, svd", "2", "10.00 ± 0.00", "10.00 ± 0.00"],
    ]


def test_table_3_stands_beside_the_papers_counts():
    table = histogram_table(attempts("svd", [1.0, 5.0, 12.0, 50.0]), SRE)
    assert row_of(table, "automatic, svd")[1:] == ["2", "0", "1", "0", "0", "0", "0", "1"]
    assert row_of(table, "paper: network")[1:] == ["93", "137", "28", "1", "3", "0", "1", "0"]


def test_predicted_error_is_covered_as_counted():
    rows = [
        TargetError("s", "1", "given", "none", "auto", n, actual, 3.0, 6.0)
        for n, actual in enumerate([1.0, 2.0, 5.0, 8.0])
    ]
    (row,) = target_table(rows).rows
    assert row == [
        "given, auto",
        "4 in 1",
        "4.00 ± 2.74",
        "3.50",
        "7.10",
        "3.00",
        "6.00",
        "75.0 %",
    ]


@pytest.mark.parametrize("form", ["to_markdown", "to_csv"])
def test_every_table_says_how_it_was_made(form):
    table = Table("t", "A title", "A note.", ("Way", "mm"), [("a|b", "1.0")])
    text = getattr(table, form)(HEADING)
    for part in ("A title", "fusioninit evaluate x.toml", "sha256 0123", "seeds 1 to 2", "2 of 2"):
        assert part in text


def test_markdown_keeps_its_columns():
    table = Table("t", "A title", "", ("Way", "mm"), [("a|b", "1.0")])
    assert table.to_markdown(HEADING).splitlines()[-1] == "| a\\|b | 1.0 |"
