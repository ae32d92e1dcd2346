import json

import pytest

from phosphene.data.preprocessing import Preprocessing
from phosphene.export.spec import bundle_task, preprocessing_from, read_spec


@pytest.fixture
def write(lab, tmp_path):
    """Write the spec of a good bundle with changes; None leaves a key out."""
    good = json.loads((lab / "bundle" / "spec.json").read_text())

    def write(**changes):
        spec = {k: v for k, v in (good | changes).items() if v is not None}
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        return tmp_path

    return write


def test_a_good_spec_comes_back(write):
    assert read_spec(write())["classes"] == ["houses", "faces"]


@pytest.mark.parametrize("name", ["encoder", "classes", "ch_names", "n_times", "preprocessing"])
def test_missing_keys_are_named(write, name):
    with pytest.raises(ValueError, match=f"must hold `{name}`"):
        read_spec(write(**{name: None}))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format_version": 2}, "format 1"),
        ({"task": "picture to signal"}, "`task` must be"),
        ({"noise": "gamma"}, "`noise` must be"),
        ({"scaling": {"per": "trial"}}, "`scaling` must be"),
        ({"scaling": {"by": "window"}}, "`scaling` must be"),
        ({"scaling": 3}, "`scaling` must be"),
        ({"classes": []}, "`classes`"),
        ({"classes": ["a", "a"]}, "`classes`"),
        ({"classes": "ab"}, "`classes`"),
        ({"classes": ["\x1b[2Jgone"]}, "printable"),
        ({"classes": ["a" * 1000]}, "printable"),
        ({"ch_names": [1, 2]}, "`ch_names`"),
        ({"sfreq": 0}, "`sfreq`"),
        ({"sfreq": float("inf")}, "no JSON number"),
        ({"sfreq": "128"}, "`sfreq`"),
        ({"n_times": 2.5}, "`n_times`"),
        ({"n_times": True}, "`n_times`"),
        ({"n_times": 10**30}, "`n_times`"),
        ({"montage": 3}, "`montage`"),
        ({"montage": "\x1b[2J"}, "`montage`"),
        ({"preprocessing": []}, "`preprocessing`"),
        ({"preprocessing": {"settings": 3}}, "`preprocessing`"),
    ],
)
def test_refuses_other_values(write, changes, match):
    with pytest.raises(ValueError, match=match):
        read_spec(write(**changes))


@pytest.fixture
def write_response(responders, tmp_path):
    """Write the spec of a system from picture to signal with changes; ... leaves a key out."""
    good = json.loads((responders.folder / "with" / "spec.json").read_text())

    def write(**changes):
        spec = {k: v for k, v in (good | changes).items() if v is not ...}
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        return tmp_path

    return write


def test_tells_what_a_bundle_is_for(write, write_response):
    assert bundle_task(write()) == "signal to picture"
    assert bundle_task(write_response()) == "picture to signal"
    spec = read_spec(write_response(picture_size=None), task="picture to signal")
    assert spec["picture_size"] is None
    for task, match in ((..., "must hold `task`"), ("art", "`task` must be"), ([1], "`task`")):
        with pytest.raises(ValueError, match=match):
            bundle_task(write_response(task=task))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"generator": ...}, "must hold `generator`"),
        ({"source_size": ...}, "must hold `source_size`"),
        ({"window_sd": ...}, "must hold `window_sd`"),
        ({"noise": "uniform"}, "`noise` must be 'normal'"),
        ({"window_sd": 0}, "`window_sd`"),
        ({"window_sd": 1e300}, "`window_sd`"),
        ({"window_mean": "0"}, "`window_mean`"),
        ({"window_mean": 5.0}, "`window_mean`"),
        ({"picture_size": [54]}, "`picture_size`"),
        ({"picture_size": [54, 69.0]}, "`picture_size`"),
        ({"picture_size": [True, 69]}, "`picture_size`"),
        ({"picture_size": "54 69"}, "`picture_size`"),
        ({"source_size": [0, 10]}, "`source_size`"),
        ({"source_size": [10**9, 10]}, "`source_size`"),
        ({"ch_names": []}, "`ch_names`"),
        ({"sfreq": 0}, "`sfreq`"),
        ({"tmin": None}, "`tmin`"),
        ({"n_times": 2.5}, "`n_times`"),
    ],
)
def test_refuses_other_values_of_a_system_from_picture_to_signal(write_response, changes, match):
    with pytest.raises(ValueError, match=match):
        read_spec(write_response(**changes), task="picture to signal")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"{", "must hold JSON"),
        (b"\xff\xfe", "must be UTF-8"),
        (b"[" * 100_000, "nests deeper than 64 levels"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "Exceeds the limit"),
        (b"[]", "format 1"),
        (b" " * (1 << 20) + b"{}", "may have 1048576 bytes"),
    ],
)
def test_refuses_what_is_no_spec(tmp_path, content, match):
    (tmp_path / "spec.json").write_bytes(content)
    with pytest.raises(ValueError, match=match):
        read_spec(tmp_path)


def test_a_folder_without_spec_says_where_bundles_are(tmp_path):
    with pytest.raises(ValueError, match="RUN/bundle"):
        read_spec(tmp_path)


def test_preprocessing_is_that_of_the_training_trials(write):
    found = preprocessing_from(read_spec(write()), path=write())
    assert found == Preprocessing(reject=400e-6)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({}, "does not hold them"),
        ({"bnad": None}, "Did you mean 'band'"),
        ({"band": [1, 2, 3]}, "`band`"),
        ({"band": "ab"}, "`band`"),
        ({"band": [30, 1]}, "rising"),
        ({"notch": 1e-9}, "`notch`"),
        ({"margin": 1e9}, "`margin`"),
        ({"margin": None}, "`margin`"),
        ({"reference": 5}, "`reference`"),
        ({"resample": 64.0}, "rate of the epochs"),
        ({"tmin": True}, "`tmin`"),
    ],
)
def test_hostile_preprocessing_is_refused(write, settings, match):
    spec = read_spec(write(preprocessing={"steps": [], "settings": settings}))
    with pytest.raises(ValueError, match=match):
        preprocessing_from(spec, path=write())
