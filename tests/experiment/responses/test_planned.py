from functools import partial

from phosphene.experiment.responses import course, planned
from phosphene.recipes.lfpgan_2020.config import Config, smoke
from phosphene.run_dir import RunDir


def test_settings_reach_the_course_as_they_were_stored(tmp_path, monkeypatch):
    run = RunDir.create(tmp_path / "run")
    config = {**vars(smoke()), "picture_size": [54, 69], "systems": ["GAN"]}
    run.write_json("config.json", {"config": config})
    seen = []
    monkeypatch.setattr(course, "evaluate", lambda settings, **words: seen.append(settings) or [])
    assert partial(planned.evaluate, settings_class=Config)(run, None) == []
    assert (seen[0].picture_size, seen[0].systems) == ((54, 69), ("GAN",))


def test_a_plan_is_made_of_the_settings(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(course, "train", lambda plan, settings, **words: seen.append(plan) or [])
    words = {"data": tmp_path, "run": RunDir(tmp_path), "resume": True}
    assert planned.train(smoke(), make_plan=lambda settings: settings.seed, **words) == []
    assert seen == [0]
