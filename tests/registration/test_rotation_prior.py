import numpy as np
import pytest

from fusioninit.geometry import rotation_matrix
from fusioninit.registration import Probe, RotationPrior


@pytest.mark.parametrize(("probe", "pitch_deg"), [(Probe.END_FIRE, 60), (Probe.SIDE_FIRE, 25)])
def test_a_probes_prior_has_the_spread_of_its_stated_range(probe, pitch_deg):
    drawn = np.random.default_rng(0).uniform(0, pitch_deg, 200_000)
    pitch, roll, yaw = RotationPrior.for_probe(probe).sd_deg
    assert pitch == pytest.approx(np.sqrt((drawn**2).mean()), rel=0.01)
    assert roll == yaw == pytest.approx(15 / np.sqrt(3))


def test_an_unknown_probe_may_be_either():
    either = RotationPrior.for_probe().sd_deg[0]
    side, end = (RotationPrior.for_probe(p).sd_deg[0] for p in (Probe.SIDE_FIRE, Probe.END_FIRE))
    assert side < either < end


def test_a_prior_learned_from_rotations_has_their_mean_and_spread():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(400, 3)) * [0.2, 0.05, 0.1] + [0.4, 0, 0]
    prior = RotationPrior.learned(rotation_matrix(vectors))
    np.testing.assert_allclose(prior.mean_rad, [0.4, 0, 0], atol=0.03)
    np.testing.assert_allclose(np.radians(prior.sd_deg), [0.2, 0.05, 0.1], atol=0.02)
    assert prior.name == "learned from 400 cases"


def test_too_few_rotations_teach_nothing():
    with pytest.raises(ValueError, match="at least 8 rotations"):
        RotationPrior.learned(np.stack([np.eye(3)] * 7))


def test_a_students_tail_lets_go_where_a_gaussian_holds_on():
    gauss = RotationPrior.from_degrees(mean_deg=(0, 0, 0), sd_deg=(10,) * 3, name="g")
    student = RotationPrior.from_degrees(mean_deg=(0, 0, 0), sd_deg=(10,) * 3, name="s", dof=4)
    assert gauss.weight(100.0) == 1
    assert student.weight(100.0) == pytest.approx(7 / 104)


def test_a_rotation_outside_three_sigma_is_a_surprise():
    prior = RotationPrior.from_degrees(mean_deg=(20, 0, 0), sd_deg=(10, 5, 5), name="p")
    assert not prior.is_surprised_by(rotation_matrix(np.radians([35, 5, 0])))
    assert prior.is_surprised_by(rotation_matrix(np.radians([20, 0, 25])))


@pytest.mark.parametrize("covariance", [np.diag([1, 1, 0]), np.diag([1, -1, 1]), np.eye(2)])
def test_a_covariance_that_cannot_be_is_refused(covariance):
    with pytest.raises(ValueError, match="rotation prior"):
        RotationPrior(np.zeros(3), covariance)


def test_the_second_moment_counts_mean_and_tail():
    prior = RotationPrior(np.array([0.3, 0, 0]), np.eye(3) * 0.01, dof=4)
    np.testing.assert_allclose(
        prior.second_moment_rad2, np.diag([0.02 + 0.09, 0.02, 0.02]), atol=1e-12
    )
