import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.permutation import heldout_test
from phosphene.evaluation.retrained_null import joint_linear_null, linear_null

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

    from phosphene.evaluation.retrained_null import whiten_rows

    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(50, n_features)), rng.normal(size=(30, n_features))
    train -= train.mean(axis=0)
    inverse = np.linalg.inv(ledoit_wolf(train, assume_centered=True)[0])
    white_train, white_test = whiten_rows(train, test)
    np.testing.assert_allclose(white_test @ white_train.T, test @ inverse @ train.T, atol=1e-8)
    np.testing.assert_allclose(white_train @ white_train.T, train @ inverse @ train.T, atol=1e-8)


def joint(rows, labels, *, recordings, n_classes, **options):
    folds = [
        (np.flatnonzero(recordings != r), np.flatnonzero(recordings == r))
        for r in np.unique(recordings)
    ]
    settings = {"folds": folds, "recordings": recordings, "n_classes": n_classes, **options}
    settings.setdefault("permute", label_permuter(labels, recordings=recordings))
    return joint_linear_null(rows, labels, **settings)


def test_whole_cross_validations_spread_by_the_root_of_two():
    """A pair of trials counts in the fold of either: the variance of fixed decisions, twice."""
    rng = np.random.default_rng(0)
    recordings, spread = np.arange(240) // 40, []
    for n_classes in (2, 4):
        labels = np.arange(240) % n_classes
        z = joint(
            rng.standard_normal((240, 12)),
            labels,
            recordings=recordings,
            n_classes=n_classes,
            n_permutations=1500,
        )
        assert abs(z.mean()) < 0.15
        spread.append(z.std())
    assert spread == pytest.approx([2**0.5] * 2, rel=0.1)


def test_one_fold_spreads_like_fixed_decisions():
    rng = np.random.default_rng(1)
    labels, recordings = np.arange(200) % 2, np.arange(200) // 100
    z = joint(
        rng.standard_normal((200, 10)),
        labels,
        recordings=recordings,
        n_classes=2,
        folds=[(np.arange(100), np.arange(100, 200))],
        n_permutations=1500,
    )
    assert z.std() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_distance_is_that_of_the_test_of_held_out_labels(n_classes):
    """One permutation, trained and tested step by step with scikit-learn."""
    rng = np.random.default_rng(2)
    recordings, labels = np.arange(180) // 60, np.arange(180) % n_classes
    rows = rng.standard_normal((180, 6))
    permute = label_permuter(labels, recordings=recordings)
    fast = joint(rows, labels, recordings=recordings, n_classes=n_classes, n_permutations=12)
    again, slow = np.random.default_rng(0), []
    for _ in range(12):
        drawn, odds = permute(again), np.empty((180, n_classes))
        for r in range(3):
            model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            model.fit(rows[recordings != r], drawn[recordings != r])
            odds[recordings == r] = model.predict_log_proba(rows[recordings == r])
        slow.append(heldout_test(odds, drawn, recordings=recordings, n_permutations=2000).z)
    np.testing.assert_allclose(fast, slow, atol=0.25)
    assert np.corrcoef(fast, slow)[0, 1] > 0.99


def test_joint_null_refuses_folds_without_two_classes():
    labels = np.repeat([0, 1], 30)
    with pytest.raises(ValueError, match="two classes"):
        joint(
            np.random.default_rng(0).standard_normal((60, 3)),
            labels,
            recordings=labels,
            n_classes=2,
            permute=lambda rng: labels,
        )
