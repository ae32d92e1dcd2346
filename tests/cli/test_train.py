import shlex
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tyro

from phosphene.cli.generate import GenerateOptions
from phosphene.cli.main import main
from phosphene.run_dir import RunDir


@pytest.fixture
def words(fake, dataset_folder, tmp_path):
    return ["--data", str(dataset_folder), "--out", str(tmp_path / "run")]


def test_preset_is_quick_and_fields_are_options(fake, words):
    assert main(["train", "fake_2020", *words, "--hidden", "3", "4"]) == 0
    ((config, resume),) = fake.trained
    assert (config.n_steps, config.hidden, resume) == (2, (3, 4), False)


def test_run_folder_says_what_was_run(fake, words, tmp_path, capsys):
    assert main(["train", "fake_2020", "paper", *words]) == 0
    run = RunDir(tmp_path / "run")
    assert run.read_json("config.json") == {
        "recipe": "fake_2020",
        "preset": "paper",
        "config": {"n_steps": 50, "hidden": [32], "mirror": False, "limit": 3},
        "data": "data",
        "command": ["phosphene", "train", "fake_2020", "paper", "--data", "data", "--out", "run"],
    }
    assert [score["value"] for score in run.read_json("scores.json")] == [0.7, 0.5]
    text = capsys.readouterr().out
    assert str(run.path / "report.html") in text
    assert "next" in text


def test_kept_command_repeats_the_settings(fake, words, tmp_path, monkeypatch):
    changes = ["--hidden", "3", "4", "--mirror", "--limit", "None"]
    assert main(["train", "fake_2020", *words, *changes]) == 0
    kept = RunDir(tmp_path / "run").read_json("config.json")["command"]
    assert kept[8:] == changes
    kept[kept.index("run")] = "again"
    monkeypatch.chdir(tmp_path)
    assert main(kept[1:]) == 0
    (first, _), (second, _) = fake.trained
    assert first == second


def test_next_command_is_generate_where_there_is_a_bundle(fake, words, tmp_path, capsys):
    assert main(["train", "fake_2020", *words]) == 0
    assert "next    phosphene evaluate" in capsys.readouterr().out
    RunDir(tmp_path / "run").write_json("bundle/spec.json", {})
    assert main(["train", "fake_2020", *words, "--resume"]) == 0
    (line,) = (x for x in capsys.readouterr().out.splitlines() if x.startswith("next"))
    command, *given = shlex.split(line.removeprefix("next    phosphene "))
    options = tyro.cli(GenerateOptions, args=given)
    assert command == "generate"
    assert options.bundle == tmp_path / "run" / "bundle"
    assert options.signals == tmp_path / "data"
    assert not options.out.exists()


def test_next_command_gives_pictures_to_what_answers_pictures(tmp_path):
    from phosphene.cli.train import _next_command
    from phosphene.recipes import get_recipe

    run = RunDir.create(tmp_path / "run")
    run.write_json("bundle/spec.json", {})
    words = _next_command(get_recipe("lfpgan_2020"), run, tmp_path / "data")
    assert "--images" in words
    assert "--signals" not in words


def test_next_command_restores_pictures_where_the_bundle_does(tmp_path):
    from phosphene.cli.train import _next_command
    from phosphene.recipes import get_recipe

    run = RunDir.create(tmp_path / "run")
    run.write_json("bundle/spec.json", {})
    recipe = replace(get_recipe("lfpgan_2020"), task="picture to picture")
    assert _next_command(recipe, run, tmp_path / "data") == [
        "restore",
        str(tmp_path / "run" / "bundle"),
        *("--images", "PICTURES", "--corrupt", "trained"),
        *("--out", f"{tmp_path / 'run'}-restored"),
    ]


def test_report_is_rewritten_after_each_stage_and_at_the_end(fake, words):
    assert main(["train", "fake_2020", *words]) == 0
    assert fake.reports == 2


def test_a_report_that_fails_does_not_end_the_training(fake, words, tmp_path, caplog, capsys):
    fake.report_fails = True
    assert main(["train", "fake_2020", *words]) == 1
    assert RunDir(tmp_path / "run").read_json("state.json")["finished"]
    assert "after stage 'encoder'" in caplog.text
    assert "unexpected KeyError" in capsys.readouterr().err


def test_help_comes_from_the_field_docstring_and_the_preset(fake, capsys):
    assert main(["train", "fake_2020", "--help"]) == 0
    text = capsys.readouterr().out
    assert "Updates (paper, section 4)." in text
    assert "(default: 2)" in text


def test_help_without_a_recipe_lists_them(fake, capsys):
    assert main(["train", "--help"]) == 0
    assert "fake_2020" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["fake2020"], "Did you mean 'fake_2020'"),
        (["fake_2020", "papr"], "Did you mean 'paper'"),
        (["fake_2020", "quick", "--n-stpes", "3"], "--n-steps"),
        (["fake_2020", "quick", "--n-steps", "three"], "--n-steps"),
        ([], "fake_2020"),
    ],
)
def test_wrong_use_names_the_nearest_and_makes_nothing(
    fake, words, wrong, message, tmp_path, capsys
):
    assert main(["train", *wrong, *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_missing_data_set_is_refused(fake, tmp_path, capsys):
    words = ["train", "fake_2020", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "run")]
    assert main(words) == 1
    assert "phosphene data import" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_plain_pictures_train_what_restores_pictures_alone(fake, tmp_path, capsys, monkeypatch):
    from phosphene.cli import train

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    words = ["train", "fake_2020", "--data", str(pictures), "--out", str(tmp_path / "run")]
    assert main(words) == 1
    assert "no info.json" in capsys.readouterr().err
    restoring = {
        key: replace(recipe, task="picture to picture")
        for key, recipe in train.find_recipes().items()
    }
    monkeypatch.setattr(train, "find_recipes", lambda: restoring)
    assert main(words) == 0
    words[3] = str(tmp_path / "none")
    assert main([*words[:5], str(tmp_path / "other")]) == 1
    assert "there is nothing at" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_an_existing_run_is_not_overwritten(fake, words, capsys):
    assert main(["train", "fake_2020", *words]) == 0
    assert main(["train", "fake_2020", *words]) == 1
    assert "--resume" in capsys.readouterr().err
    assert len(fake.trained) == 1


def test_ctrl_c_then_resume(fake, words, capsys):
    fake.fail = KeyboardInterrupt()
    assert main(["train", "fake_2020", *words]) == 130
    assert "--resume continues" in capsys.readouterr().err
    fake.fail = None
    assert main(["train", "fake_2020", *words, "--resume"]) == 0
    assert [resume for _, resume in fake.trained] == [False, True]


def test_resume_refuses_other_settings_and_names_the_field(fake, words, capsys):
    assert main(["train", "fake_2020", *words]) == 0
    assert main(["train", "fake_2020", *words, "--resume", "--hidden", "8"]) == 1
    assert "`hidden` was [32]" in capsys.readouterr().err
    assert len(fake.trained) == 1


def test_resume_refuses_a_folder_that_is_no_run(fake, words, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    assert main(["train", "fake_2020", *words, "--resume"]) == 1
    assert "no config.json" in capsys.readouterr().err
    assert (tmp_path / "run" / "thesis.txt").read_text() == "mine"


def test_a_refusal_before_the_first_step_leaves_the_name_free(fake, words, tmp_path):
    fake.fail_early = ValueError("a class has no trials.")
    assert main(["train", "fake_2020", *words]) == 1
    assert not (tmp_path / "run").exists()
    fake.fail_early = None
    assert main(["train", "fake_2020", *words]) == 0


def test_a_run_that_was_killed_at_its_first_write_begins_anew(fake, words, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".config.json.a1b2.tmp").write_text("{")
    assert main(["train", "fake_2020", *words, "--resume"]) == 0
    assert not list((tmp_path / "run").rglob("*.tmp"))


def test_several_devices_are_refused_where_the_recipe_trains_on_one(fake, words, capsys, tmp_path):
    assert main(["train", "fake_2020", *words, "--devices", "2"]) == 1
    assert "got 2 for fake_2020. Leave --devices out." in capsys.readouterr().err
    assert main(["train", "fake_2020", *words, "--devices", "0"]) == 1
    assert "`--devices` must be at least 1" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("fails", "alive"),
    [
        (None, True),
        (ValueError("as the first says"), False),
        (ConnectionError("gone"), True),
        (OSError("disk failed here"), True),
        (OSError("disk failed here"), False),
    ],
)
def test_a_process_that_is_not_the_first_says_only_what_it_alone_met(
    fake, words, tmp_path, capsys, monkeypatch, fails, alive
):
    seen = []
    parents = iter([1, *[1 if alive else 2] * 10])
    monkeypatch.setattr("phosphene.cli.train.os.getppid", lambda: next(parents))
    monkeypatch.setattr("phosphene.cli.train._PATIENCE_S", 0.25)

    def train(config, *, data, run, resume, on_stage, progress, devices):
        seen.append((progress, devices.rank))
        on_stage("encoder")
        if fails:
            raise fails
        return []

    recipe = replace(fake.recipe, several_devices=True, train=train)
    monkeypatch.setattr("phosphene.cli.train.find_recipes", lambda: {"fake_2020": recipe})
    second = SimpleNamespace(n=2, rank=1, first=False)
    monkeypatch.setattr("phosphene.training.devices.launch_devices", lambda n: second)
    code = main(["train", "fake_2020", *words, "--devices", "2"])
    assert (code, seen) == (1 if fails else 0, [(None, 1)])
    told = "process 1 of 2: disk failed here\n" if alive and type(fails) is OSError else ""
    assert capsys.readouterr() == ("", told)
    assert not (tmp_path / "run").exists()
