import numpy as np
import pytest
from scipy.linalg import sqrtm

from phosphene.evaluation.pictures import distribution_scores, frechet_distance, inception_score
from phosphene.evaluation.pictures.distribution import frechet_distances_to


def test_sure_and_varied_pictures_reach_the_number_of_classes():
    assert inception_score(np.eye(5)[np.arange(50) % 5])[0] == pytest.approx(5)


def test_pictures_that_all_look_alike_score_one():
    assert inception_score(np.tile([0.7, 0.2, 0.1], (20, 1))) == pytest.approx((1, 0))


def test_two_pictures_by_hand():
    # marginal (.5, .5); KL of (.75, .25) from it: .75 log 1.5 + .25 log .5
    expected = np.exp(0.75 * np.log(1.5) + 0.25 * np.log(0.5))
    assert inception_score(np.array([[0.75, 0.25], [0.25, 0.75]]))[0] == pytest.approx(expected)


def test_splits_agree_with_a_slow_loop():
    rows = np.random.default_rng(0).dirichlet(np.ones(4), 21)
    order = np.random.default_rng(3).permutation(rows)
    values = []
    for part in (order[:7], order[7:14], order[14:]):
        marginal = part.mean(axis=0)
        values.append(np.exp(np.mean([sum(p * np.log(p / marginal)) for p in part])))
    found = inception_score(rows, n_splits=3, seed=3)
    assert found == pytest.approx((np.mean(values), np.std(values)))


@pytest.mark.filterwarnings("ignore:std:UserWarning")  # of one split
@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save all:UserWarning")
def test_inception_score_agrees_with_torchmetrics():
    import torch
    from torchmetrics.image.inception import InceptionScore

    logits = np.random.default_rng(1).standard_normal((60, 5))
    metric = InceptionScore(feature=torch.nn.Identity(), splits=1)
    metric.update(torch.from_numpy(logits))
    odds = np.exp(logits)
    found = inception_score(odds / odds.sum(axis=1, keepdims=True))[0]
    assert found == pytest.approx(float(metric.compute()[0]), rel=1e-5)


@pytest.mark.parametrize(
    ("rows", "n_splits", "message"),
    [
        (np.ones((4, 2)), 1, "softmax"),
        (np.full((4, 2), 0.5), 5, "lower `n_splits`"),
        (np.full((4, 2), np.nan), 1, "finite"),
    ],
)
def test_inception_score_refuses(rows, n_splits, message):
    with pytest.raises(ValueError, match=message):
        inception_score(rows, n_splits=n_splits)


def test_shifted_set_is_as_far_as_its_shift():
    rows = np.random.default_rng(0).standard_normal((50, 3))
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(rows, rows + np.array([1, 2, 2])) == pytest.approx(9)


def test_stretched_set_in_one_dimension():
    rows = np.array([[-1.0], [1.0]])  # standard deviation sqrt(2)
    assert frechet_distance(rows, 3 * rows) == pytest.approx((3 - 1) ** 2 * 2)


def test_frechet_distance_agrees_with_the_matrix_root():
    rng = np.random.default_rng(1)
    real, fake = rng.standard_normal((80, 6)), rng.standard_normal((90, 6)) @ rng.random((6, 6))
    cov = [np.cov(rows.T) for rows in (real, fake)]
    expected = ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(
        cov[0] + cov[1] - 2 * sqrtm(cov[0] @ cov[1]).real
    )
    assert frechet_distance(real, fake) == pytest.approx(expected)


def test_frechet_distance_agrees_with_torchmetrics():
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    rng = np.random.default_rng(4)
    real, fake = rng.standard_normal((70, 4)), 2 * rng.standard_normal((60, 4)) + 1
    same = torch.nn.Identity()
    same.num_features = 4
    metric = FrechetInceptionDistance(feature=same).set_dtype(torch.float64)
    metric.update(torch.from_numpy(real), real=True)
    metric.update(torch.from_numpy(fake), real=False)
    assert frechet_distance(real, fake) == pytest.approx(float(metric.compute()), rel=1e-6)


@pytest.mark.parametrize(("n_real", "n_fake"), [(5, 4), (4, 5), (5, 30), (30, 5), (30, 40)])
def test_numbers_of_rows_around_that_of_features_follow_the_definition(n_real, n_fake):
    rng = np.random.default_rng(2)
    real, fake = rng.standard_normal((n_real, 12)), 2 * rng.standard_normal((n_fake, 12))
    scale, basis = np.linalg.eigh(np.cov(real.T))
    root = (basis * np.sqrt(scale.clip(0))) @ basis.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ np.cov(fake.T) @ root).clip(0)).sum()
    traces = np.trace(np.cov(real.T)) + np.trace(np.cov(fake.T))
    expected = ((real.mean(0) - fake.mean(0)) ** 2).sum() + traces - 2 * overlap
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-6)


def test_rows_that_count_several_times_stand_for_copies():
    rng = np.random.default_rng(6)
    for n_features in (3, 30):
        distance = frechet_distances_to(rng.standard_normal((9, n_features)))
        fake = rng.standard_normal((7, n_features))
        drawn = np.array([2, 0, 1, 1, 3, 0, 0])
        assert distance(fake, drawn) == pytest.approx(distance(np.repeat(fake, drawn, axis=0)))
        assert distance(fake, np.ones(7, dtype=np.int64)) == pytest.approx(distance(fake))


def test_frechet_distance_refuses_one_row():
    with pytest.raises(ValueError, match="got 1 fake"):
        frechet_distance(np.zeros((5, 2)), np.zeros((1, 2)))


def test_scores_carry_value_interval_and_extractor():
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet(np.ones(3), 200)
    features, real = rng.standard_normal((200, 4)), rng.standard_normal((150, 4))
    kwargs = {"real_features": real, "extractor": "domain", "method": "x"}
    score, distance = distribution_scores(probabilities, features, **kwargs)
    assert score.name == "IS[domain]"
    assert distance.name == "Fréchet distance[domain]"
    assert score.value == inception_score(probabilities)[0]
    assert distance.value == frechet_distance(real, features)
    assert score.low < score.value < score.high
    assert not distance.higher_is_better
    assert [score, distance] == distribution_scores(probabilities, features, **kwargs)


def test_distance_of_inception_features_is_called_fid():
    rng = np.random.default_rng(5)
    found = distribution_scores(
        rng.dirichlet(np.ones(3), 9),
        rng.standard_normal((9, 4)),
        real_features=rng.standard_normal((8, 4)),
        extractor="inception-2015",
        distance_name="FID",
        method="x",
    )
    assert [score.name for score in found] == ["IS[inception-2015]", "FID[inception-2015]"]
