import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.retrained_null import linear_null

N_CLASSES = 4


def make_epochs(n, *, effect, seed):
    """Draw epochs of two channels whose classes differ in their mean; labels come in turn."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % N_CLASSES
    means = np.random.default_rng(99).normal(size=(N_CLASSES, 2, 6))
    return (rng.normal(size=(n, 2, 6)) + effect * means[labels]), labels


def make_null(*, effect, n_train=200, n_test=80, **options):
    train, train_labels = make_epochs(n_train, effect=effect, seed=0)
    test, test_labels = make_epochs(n_test, effect=effect, seed=1)
    settings = {
        "permute": label_permuter(train_labels, recordings=np.zeros(n_train)),
        "recordings": np.arange(n_test) // (n_test // 2),
        "n_classes": N_CLASSES,
    }
    return linear_null(train, test, test_labels, **{**settings, **options})


@pytest.mark.parametrize("effect", [0.0, 3.0])
def test_mean_is_chance_with_and_without_an_effect(effect):
    scores = make_null(effect=effect, n_permutations=300)
    assert scores.shape == (300, 2)
    accuracy, auc = scores.mean(axis=0)
    error = scores.std(axis=0) / 300**0.5
    assert accuracy == pytest.approx(1 / N_CLASSES, abs=4 * error[0])
    assert auc == pytest.approx(0.5, abs=4 * error[1])


def test_strong_classes_spread_more_than_permuting_labels_of_fixed_decisions():
    """Held-out trials of a class stay together, so they are few observations, not many."""
    retrained = make_null(effect=3.0)[:, 0].std()
    labels = np.arange(80) % N_CLASSES
    rng = np.random.default_rng(0)
    fixed = np.std([balanced_accuracy_score(rng.permutation(labels), labels) for _ in range(200)])
    assert retrained > 2 * fixed
    assert make_null(effect=0.0)[:, 0].std() < 1.5 * fixed


def test_agrees_with_training_a_shrinkage_lda_anew_for_each_permutation():
    """Only the covariance differs: of all trials here, within permuted classes there."""
    train, train_labels = make_epochs(400, effect=0.3, seed=0)
    test, labels = make_epochs(120, effect=0.3, seed=1)
    permute = label_permuter(train_labels, recordings=np.zeros(400))
    recordings = np.arange(120) // 60
    fast = linear_null(
        train,
        test,
        labels,
        permute=permute,
        recordings=recordings,
        n_classes=N_CLASSES,
        n_permutations=20,
        seed=3,
    )
    rng, slow = np.random.default_rng(3), []
    for _ in range(20):
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        model.fit(train.reshape(400, -1), permute(rng))
        odds = model.predict_log_proba(test.reshape(120, -1))
        aucs = [
            np.mean([roc_auc_score(labels[p] == k, odds[p, k]) for k in range(N_CLASSES)])
            for p in (recordings == 0, recordings == 1)
        ]
        slow.append([balanced_accuracy_score(labels, odds.argmax(1)), np.mean(aucs)])
    slow = np.array(slow)
    np.testing.assert_allclose(fast, slow, atol=0.03)
    for column in range(2):
        assert np.corrcoef(fast[:, column], slow[:, column])[0, 1] > 0.95


def test_the_seed_makes_the_permutations():
    first, second, third = (
        make_null(effect=1.0, n_permutations=5, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != third).any()


def test_neither_unit_nor_samples_between_steps_matter():
    train, train_labels = make_epochs(100, effect=1.0, seed=0)
    test, labels = make_epochs(40, effect=1.0, seed=1)
    settings = {
        "permute": label_permuter(train_labels, recordings=np.zeros(100)),
        "recordings": np.zeros(40),
        "n_classes": N_CLASSES,
        "n_permutations": 5,
    }
    expected = linear_null(train, test, labels, **settings)
    volts = [np.repeat(1e-6 * x, 2, axis=-1).astype(np.float32) for x in (train, test)]
    found = linear_null(*volts, labels, step=2, **settings)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_scores_the_classes_that_a_fold_holds():
    train, train_labels = make_epochs(100, effect=0.0, seed=0)
    test, labels = make_epochs(40, effect=0.0, seed=1)
    rows = labels != 2
    scores = linear_null(
        train,
        test[rows],
        labels[rows],
        permute=label_permuter(train_labels, recordings=np.zeros(100)),
        recordings=np.zeros(30),
        n_classes=N_CLASSES,
    )
    assert scores.mean(axis=0) == pytest.approx([0.25, 0.5], abs=0.03)


def test_refuses_what_it_cannot_score():
    with pytest.raises(ValueError, match="`n_permutations` must be greater than 0"):
        make_null(effect=0.0, n_permutations=0)
    with pytest.raises(ValueError, match="`step` must be greater than 0"):
        make_null(effect=0.0, step=0)
    with pytest.raises(ValueError, match=r"labels must lie in 0 \.\. 2"):
        make_null(effect=0.0, n_classes=3)
    with pytest.raises(ValueError, match="`recordings` needs one id for each of 80 rows"):
        make_null(effect=0.0, recordings=[0])


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_unequal_classes_spread_too(effect):
    """Decoders that answer with the frequent class alone would all be right in one half."""
    n_train, n_test = 300, 120
    rare = [(np.arange(n) % 6 == 0).astype(int) for n in (n_train, n_test)]
    rng, means = np.random.default_rng(0), np.random.default_rng(99).normal(size=(2, 2, 6))
    train, test = (rng.normal(size=(len(y), 2, 6)) + effect * means[y] for y in rare)
    scores = linear_null(
        train,
        test,
        rare[1],
        permute=label_permuter(rare[0], recordings=np.zeros(n_train)),
        recordings=np.arange(n_test) // 60,
        n_classes=2,
        n_permutations=200,
    )
    low, high = np.quantile(scores[:, 0], [0.025, 0.975])
    assert high - low > 0.1
    assert low < 0.5 < high


@pytest.mark.parametrize("n_features", [20, 300])
def test_more_features_than_trials_change_nothing(n_features):
    """Inner products with training trials are those under the inverse of the whole covariance."""
    from sklearn.covariance import ledoit_wolf

    from phosphene.evaluation.retrained_null import _whiten

    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(50, n_features)), rng.normal(size=(30, n_features))
    train -= train.mean(axis=0)
    inverse = np.linalg.inv(ledoit_wolf(train, assume_centered=True)[0])
    white_train, white_test = _whiten(train, test)
    np.testing.assert_allclose(white_test @ white_train.T, test @ inverse @ train.T, atol=1e-8)
    np.testing.assert_allclose(white_train @ white_train.T, train @ inverse @ train.T, atol=1e-8)
