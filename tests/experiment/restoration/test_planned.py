from functools import partial

from phosphene.experiment.restoration import course, planned
from phosphene.recipes.cnn_lstm_2018.config import Config, smoke
from phosphene.run_dir import RunDir


def test_settings_reach_the_course_as_they_were_stored(tmp_path, monkeypatch):
    run = RunDir.create(tmp_path / "run")
    config = {**vars(smoke()), "tuning_rates": [0.1, 0.2], "systems": ["CNN-LSTM"]}
    run.write_json("config.json", {"config": {**config, "equal_time": []}})
    seen = []
    monkeypatch.setattr(course, "evaluate", lambda settings, **words: seen.append(settings) or [])
    assert partial(planned.evaluate, settings_class=Config)(run, None) == []
    assert (seen[0].tuning_rates, seen[0].systems) == ((0.1, 0.2), ("CNN-LSTM",))
    assert seen[0].equal_time == ()


def test_a_plan_is_made_of_the_settings(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(course, "train", lambda plan, settings, **words: seen.append(plan) or [])
    words = {"data": tmp_path, "run": RunDir(tmp_path), "resume": True}
    assert planned.train(smoke(), make_plan=lambda settings: settings.seed, **words) == []
    assert seen == [0]
