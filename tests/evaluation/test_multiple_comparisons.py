import numpy as np
import pytest
from scipy import stats

from phosphene.evaluation.multiple_comparisons import benjamini_hochberg, holm


def test_holm_known_values():
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])  # R: p.adjust(p, "holm")


def test_benjamini_hochberg_agrees_with_scipy():
    p = np.random.default_rng(0).uniform(size=40) ** 3
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_one_test_needs_no_correction_and_order_is_kept(correct):
    assert correct(np.array([0.03])) == pytest.approx([0.03])
    p = np.array([0.9, 0.001, 0.2])
    assert np.argsort(correct(p)).tolist() == np.argsort(p).tolist()
    assert correct(p).max() <= 1
    assert len(correct(np.empty(0))) == 0


def test_holm_keeps_false_findings_rare_where_plain_p_values_do_not():
    rng = np.random.default_rng(1)
    p = rng.uniform(size=(2000, 10))
    plain = (p.min(axis=1) <= 0.05).mean()
    corrected = np.mean([holm(row).min() <= 0.05 for row in p])
    assert plain > 0.35
    assert corrected < 0.065


@pytest.mark.parametrize("p", [[0.1, 1.2], [-0.1], [np.nan]])
def test_refuses_what_is_no_p_value(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(np.array(p))
