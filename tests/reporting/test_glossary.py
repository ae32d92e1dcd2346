from phosphene.reporting.glossary import glossary
from phosphene.score import Score


def test_only_scores_that_appear_are_explained():
    scores = [
        Score(name="IS[domain]", value=7.0, n=10, unit="pictures", section="pictures"),
        Score(name="AUC", value=0.7, n=10, unit="trials", method="shrinkage LDA"),
    ]
    words = [word for word, _ in glossary(scores, has_ceiling=True)]
    assert words[:4] == ["AUC", "IS[domain]", "Shrinkage LDA", "Ceiling"]
    assert "Control" in words
    assert "Ceiling" not in [word for word, _ in glossary(scores, has_ceiling=False)]


def test_all_scores_of_paths_between_classes_are_explained():
    kinds = ("smoothness", "detour", "ends")
    names = [f"interpolation {kind}[domain]" for kind in kinds]
    scores = [Score(name=name, value=0.7, n=3, unit="classes") for name in names]
    assert [word for word, _ in glossary(scores, has_ceiling=False)][:3] == names


def test_scores_of_signals_have_words_of_their_own():
    common = {"value": 7.0, "n": 10, "unit": "pictures", "section": "signals"}
    names = ("Fréchet distance[raw]", "picture specificity (rank)")
    sets = ("training pictures", "test pictures")
    scores = [Score(name=f"{name}, {of}", **common) for name in names for of in sets]
    entries = dict(glossary(scores, has_ceiling=False))
    assert "of all samples" in entries["Fréchet distance[raw]"]
    assert "chance is 0.5" in entries["picture specificity (rank)"]
    assert "random phases" in entries["Control"]
    assert "Decoded class and shown class" not in entries


def test_scores_of_restoration_have_words_of_their_own():
    names = ("RMSE[missing]", "RMSE[missing] difference", "accuracy of the classifier")
    common = {"value": 0.2, "n": 10, "unit": "pictures", "section": "restoration"}
    entries = dict(glossary([Score(name=name, **common) for name in names], has_ceiling=False))
    assert "favours blurred" in entries["RMSE[missing]"]
    assert "less the second's" in entries["RMSE[missing] difference"]
    assert "clean training pictures" in entries["accuracy of the classifier"]
    assert "Equal iterations, equal time" in entries
    assert "Control" not in entries
