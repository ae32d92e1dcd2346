from phosphene.experiment.watch import Attended, Watch
from phosphene.run_dir import RunDir
from phosphene.score import Score
from phosphene.training.devices import Devices
from phosphene.training.progress import SilentProgress

SCORE = Score(name="AUC", value=0.5, n=4, unit="trials")


def test_records_carry_their_fold():
    records = []
    watch = Watch(log=records.append, progress=SilentProgress(), fold="a")
    watch.record({"step": 1})
    assert records == [{"step": 1, "fold": "a"}]
    assert watch.devices.n == 1


def test_stages_are_timed_by_the_first_process(tmp_path):
    run = RunDir.create(tmp_path / "run")
    attended = Attended(run=run, progress=SilentProgress())
    for _ in range(2):
        with attended.timed("encoder"):
            sum(range(100_000))
    assert 0 < run.read_json("timings.json")["train_s"]["encoder"] < 60
    other = Devices()
    other.n, other.rank = 2, 1
    second = Attended(run=run, progress=SilentProgress(), devices=other)
    with second.timed("judge"):
        pass
    assert "judge" not in run.read_json("timings.json")["train_s"]


def test_trainings_of_a_fold_write_into_the_run(tmp_path):
    run = RunDir.create(tmp_path / "run")
    Attended(run=run, progress=SilentProgress()).watch_fold("a").record({"step": 1, "loss": 0.5})
    (record,) = run.read_log()
    assert (record["fold"], record["step"]) == ("a", 1)


def test_a_stage_is_scored_then_noted_then_told_of(tmp_path):
    run, told = RunDir.create(tmp_path / "run"), []

    def scored():
        assert not run.has("state.json")
        return [SCORE]

    attended = Attended(
        run=run, progress=SilentProgress(),
        on_stage=lambda stage: told.append((stage, run.read_json("state.json"))),
    )  # fmt: skip
    assert attended.finish("pictures", scored) == [SCORE]
    assert attended.finish("done", finished=True) == []
    assert told == [
        ("pictures", {"stage": "pictures", "finished": False}),
        ("done", {"stage": "done", "finished": True}),
    ]


def test_other_processes_finish_nothing(tmp_path):
    run, other = RunDir.create(tmp_path / "run"), Devices()
    other.n, other.rank = 2, 1
    attended = Attended(run=run, progress=SilentProgress(), devices=other, on_stage=print)
    assert attended.finish("done", lambda: [SCORE], finished=True) == []
    assert not run.has("state.json")
