import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the fake."""

    n_steps: int = 50
    """Updates (paper, section 4)."""
    hidden: tuple[int, ...] = (32,)
    """Widths of the layers before the last."""
    mirror: bool = False
    """Whether to mirror pictures."""
    limit: int | None = 3
    """Most trials per class; None takes all."""


@pytest.fixture
def fake(monkeypatch):
    """A recipe that records how it was called; `fake.fail` is raised while training."""
    from phosphene.recipe import Recipe
    from phosphene.score import Score

    calls = SimpleNamespace(trained=[], reports=0, fail=None, fail_early=None, report_fails=False)

    def train(config, *, data, run, resume, on_stage, progress):
        if calls.fail_early:
            raise calls.fail_early
        calls.trained.append((config, resume))
        progress.start("encoder", 2)
        progress.update(1, {"loss": 0.5})
        run.log({"stage": "encoder", "step": 1, "loss": 0.5})
        on_stage("encoder")
        if calls.fail:
            raise calls.fail
        run.write_json("state.json", {"stage": "scores", "finished": True})
        return evaluate(run, progress)

    def evaluate(run, progress):
        return [
            Score(name="AUC", value=0.7, low=0.6, high=0.8, n=6, unit="recordings", chance=0.5),
            Score(name="AUC", value=0.5, n=6, unit="recordings", role="control", method="noise"),
        ]

    recipe = Recipe(
        key="fake_2020",
        title="Fake",
        task="signal to picture",
        paper="Nobody, 2020",
        url="https://example.org",
        wants="anything",
        presets={"paper": Config, "quick": lambda: replace(Config(), n_steps=2)},
        published={"Inception Score": 6.78},
        train=train,
        evaluate=evaluate,
        module_folder=Path(),
    )

    def write_report(run):
        calls.reports += 1
        if calls.report_fails:
            raise KeyError("colour")
        (run.path / "report.html").write_text("report")
        return run.path / "report.html"

    calls.recipe = recipe
    found = {"fake_2020": recipe}
    # Where it came from last: a module imported in between would keep the fake for good.
    for module in ("phosphene.cli.train", "phosphene.cli.recipes", "phosphene.recipes"):
        monkeypatch.setattr(f"{module}.find_recipes", lambda: found)
    module = SimpleNamespace(write_report=write_report)
    monkeypatch.setitem(sys.modules, "phosphene.reporting.report", module)
    return calls


@pytest.fixture
def dataset_folder(tmp_path):
    """A folder that looks like a data set from outside."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "info.json").write_text("{}")
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def _commands_know_the_real_recipes():
    """Import those that bind `find_recipes` at import before a test puts another in its place."""
    import phosphene.cli.recipes
    import phosphene.cli.train  # noqa: F401
