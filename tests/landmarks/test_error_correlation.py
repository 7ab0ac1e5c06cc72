import numpy as np
import pytest

from fusioninit.landmarks import REQUIRED_NAMES, ErrorCorrelation


def correlated(names=REQUIRED_NAMES, *, between=0.3):
    """Errors along the same axis hang together; from the first to the last landmark with a turn."""
    matrix = ErrorCorrelation.uniform(names, between).matrix.copy()
    matrix[0, -2] = matrix[-2, 0] = 0.2
    return ErrorCorrelation(tuple(names), matrix)


def test_rows_are_read_back_as_they_were_written():
    written = correlated()
    rows = written.rows()
    assert len(rows) == 8
    assert rows[2] == "0.3 0 0"
    assert ErrorCorrelation.from_rows(REQUIRED_NAMES, rows) == written


def test_a_part_keeps_its_blocks_and_names_that_are_unknown_err_alone():
    whole = correlated()
    part = whole.among(["posterior_median", "left_lateral", "apex"])
    # the neck is left out; the blocks of apex and median have changed places
    assert part[:3, 6:].tolist() == whole.matrix[6:, :3].tolist()
    assert part[6:, :3].tolist() == whole.matrix[:3, 6:].tolist()
    assert part[3:6].tolist() == np.eye(9)[3:6].tolist()
    assert np.array_equal(part, part.T)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m[:8, :8], "3 landmarks is a finite matrix of 9 rows"),
        (lambda m: m * np.nan, "finite"),
        (lambda m: m + np.eye(9)[::-1] * [0.5] + np.triu(np.ones((9, 9)), 4), "symmetric"),
        (lambda m: 2 * m, "correlation 1 with itself"),
        (lambda m: np.where(m == 0.3, 1.0, m), "positive definite"),
    ],
)
def test_what_is_no_correlation_is_refused(change, reason):
    with pytest.raises(ValueError, match=reason):
        ErrorCorrelation(REQUIRED_NAMES, change(correlated().matrix))


def test_rows_of_another_number_of_landmarks_are_refused():
    with pytest.raises(ValueError, match="2 landmarks has 5 rows"):
        ErrorCorrelation.from_rows(("apex", "bladder_neck"), correlated().rows())
