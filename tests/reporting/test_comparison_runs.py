from dataclasses import replace

import pytest

from phosphene.reporting.comparison_runs import check_comparable, read_run, unidentified


@pytest.fixture
def pair(write_result, tmp_path):
    """Write two runs of two recipes; return a function that writes them with other fields."""

    def write(first=None, second=None):
        return [
            read_run(write_result(tmp_path / "one", recipe="one_2020", **(first or {}))),
            read_run(write_result(tmp_path / "two", recipe="two_2021", **(second or {}))),
        ]

    return write


def test_reads_what_the_files_say(write_result, tmp_path):
    run = read_run(write_result(tmp_path / "r", seed=3, split={"doubt": "windows overlap"}))
    assert (run.name, run.recipe, run.preset, run.seed) == ("r", "fake_2020", "quick", 3)
    assert (run.data_hash, run.classes) == ("d1" * 8, ("cat", "dog"))
    assert (run.decoded, run.painted) == (("a", "b"), ("a",))
    assert run.stamps == ("doubt: windows overlap",)
    assert run.n_parameters == {"encoder": 1200}
    assert (run.train_s, run.pictures_per_s, run.n_threads) == (40.5, None, 2)
    assert run.digests == {"judge": "ab" * 32, "domain": "ab" * 32}


def test_files_that_older_runs_lack_leave_gaps(write_result, tmp_path):
    run = read_run(write_result(tmp_path / "r", networks=None, timings=None, dataset=None))
    assert (run.n_parameters, run.digests, run.train_s, run.classes) == ({}, {}, None, ())


def test_a_run_that_copied_stages_has_no_training_time_of_its_own(write_result, tmp_path):
    folder = write_result(tmp_path / "r")
    folder.write_json("copied.json", {"from": "other", "stages": ["encoder"]})
    assert read_run(folder).train_s is None


@pytest.mark.parametrize("state", [None, {"finished": False}])
def test_an_unfinished_run_is_refused(write_result, tmp_path, state):
    with pytest.raises(ValueError, match=r"must be finished .* --resume"):
        read_run(write_result(tmp_path / "r", state=state))


def test_wrong_types_are_refused_with_the_file(write_result, tmp_path):
    folder = write_result(tmp_path / "r", timings={"train_s": {"encoder": "long"}})
    with pytest.raises(ValueError, match=r"train_s.encoder.*timings.json must be a number"):
        read_run(folder)


def test_equal_protocols_may_share_columns(pair):
    check_comparable(pair())
    check_comparable(pair(second={"draws": False}))  # a decoder has no pictures to divide


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"environment": {"data_hash": "ee" * 8}}, "of the same data"),
        ({"split": {"unit": "subject"}}, "of one split"),
        ({"folds": ("a", "c")}, "of one split"),
        (
            {"split": {"pictures": {"generator": ["p3"], "judge": ["p2"]}}},
            "of one division of pictures",
        ),
        ({"settings": {"image_size": 32}}, r"one size; one has pixels: 16, two 32\. .*image-size"),
        (
            {"networks": {"judge": {"digest": "cd" * 32}}},
            "read through one judge network; one has one with the hash abababababab, two cdcdcd",
        ),
        ({"networks": {"domain": {"digest": "cd" * 32}}}, "read through one domain network"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_both_values(pair, second, message):
    with pytest.raises(ValueError, match=message):
        check_comparable(pair(second=second))


def test_other_decoded_folds_are_refused(pair, tmp_path):
    pair()
    (tmp_path / "two" / "folds" / "b" / "decoding.npz").unlink()
    from phosphene.run_dir import RunDir

    runs = [read_run(RunDir(tmp_path / name)) for name in ("one", "two")]
    with pytest.raises(ValueError, match="decoded folds; one has the folds a, b, two a"):
        check_comparable(runs)


def test_pictures_that_may_be_seen_in_both_halves_do_not_matter(pair):
    pictures = {"generator": ["p1"], "judge": ["p2"], "shown_in_both": 7}
    check_comparable(pair(second={"split": {"pictures": pictures}}))


def test_other_words_for_an_extractor_are_refused(pair):
    one, two = pair()
    scores = [replace(s, extractor="judge of old") if s.extractor else s for s in two.scores]
    with pytest.raises(ValueError, match=r"one extractor.*phosphene evaluate"):
        check_comparable([one, replace(two, scores=tuple(scores))])


def test_scores_of_a_class_have_as_many_pictures_as_were_decoded_so(pair):
    one, two = pair()
    name = "IS of class cat[domain]"
    score = next(score for score in one.scores if score.name == "IS[domain]")
    runs = [
        replace(run, scores=(*run.scores, replace(score, name=name, n=n)))
        for run, n in ((one, 40), (two, 31))
    ]
    check_comparable(runs)


def test_fewer_pictures_bias_a_distance_and_are_refused(pair):
    one, two = pair()
    scores = [replace(s, n=8) if s.name == "IS[domain]" else s for s in two.scores]
    with pytest.raises(ValueError, match=r"IS\[domain\]` must be of equally many.*40.*8"):
        check_comparable([one, replace(two, scores=tuple(scores))])


def test_the_same_run_twice_is_refused(write_result, tmp_path):
    runs = [read_run(write_result(tmp_path / name)) for name in ("one", "again")]
    with pytest.raises(ValueError, match="given once; one and again"):
        check_comparable(runs)


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        check_comparable([])


def test_runs_that_do_not_name_their_networks_are_told_apart_from_those_that_do(pair):
    one, two = pair(second={"networks": {"judge": {}, "domain": {}}})
    check_comparable([one, two])
    assert unidentified([one, two]) == {"judge": [two], "domain": [two]}
    assert unidentified([two]) == {}  # alone it cannot be mixed up
