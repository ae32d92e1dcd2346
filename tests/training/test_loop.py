import pytest
import torch

from phosphene.training.checkpoint import latest_checkpoint
from phosphene.training.devices import ALONE, Devices
from phosphene.training.loop import fit


class CountStep:
    """Adds its batch to a weight, with a draw of its own."""

    def __init__(self, *, fail_at=None):
        self.total = torch.nn.Linear(1, 1, bias=False)
        self.total.weight.data.zero_()
        self.rng = torch.Generator().manual_seed(0)
        self.parts = {"total": self.total, "rng": self.rng}
        self.devices = ALONE
        self.fail_at, self.seen = fail_at, []

    def __call__(self, batch):
        (value,) = batch
        self.seen.append(int(value))
        if value == self.fail_at:
            raise KeyboardInterrupt
        self.total.weight.data += value + torch.rand(1, generator=self.rng)
        return {"loss": value.float()}


class Listener:
    def __init__(self):
        self.heard = []

    def start(self, stage, total):
        self.heard.append(("start", stage, total))

    def update(self, step, values):
        self.heard.append((step, dict(values)))

    def finish(self):
        self.heard.append("finish")


def batches(step):
    return (torch.tensor(step),)


def test_logs_means_since_the_last_record():
    records, listener = [], Listener()
    fit(
        CountStep(),
        batches,
        n_steps=5,
        stage="encoder",
        log=records.append,
        log_every=2,
        progress=listener,
    )
    assert records == [
        {"stage": "encoder", "step": 2, "loss": 0.5},
        {"stage": "encoder", "step": 4, "loss": 2.5},
        {"stage": "encoder", "step": 5, "loss": 4.0},
    ]
    assert listener.heard[0] == ("start", "encoder", 5)
    assert listener.heard[1] == (2, {"loss": 0.5})
    assert listener.heard[-1] == "finish"


def test_an_interrupted_run_ends_as_if_undisturbed(tmp_path):
    undisturbed = CountStep()
    fit(undisturbed, batches, n_steps=11)
    options = {"n_steps": 11, "checkpoints": tmp_path, "checkpoint_every": 3}
    with pytest.raises(KeyboardInterrupt):
        fit(CountStep(fail_at=7), batches, **options)
    resumed = CountStep()
    fit(resumed, batches, **options, resume=True)
    assert resumed.seen[0] == 6
    assert torch.equal(resumed.total.weight, undisturbed.total.weight)


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    fit(CountStep(), batches, n_steps=4, checkpoints=tmp_path)
    assert latest_checkpoint(tmp_path).name == "step_00000004.pt"
    again = CountStep()
    fit(again, batches, n_steps=4, checkpoints=tmp_path, resume=True)
    assert again.seen == []
    assert again.total.weight > 6


def test_refuses_to_mix_runs(tmp_path):
    fit(CountStep(), batches, n_steps=4, checkpoints=tmp_path)
    with pytest.raises(ValueError, match="folder without checkpoints; got step_00000004"):
        fit(CountStep(), batches, n_steps=4, checkpoints=tmp_path)
    with pytest.raises(ValueError, match="at least the 4 steps"):
        fit(CountStep(), batches, n_steps=3, checkpoints=tmp_path, resume=True)


def test_a_damaged_newest_checkpoint_costs_steps_but_no_bits(tmp_path, caplog):
    undisturbed = CountStep()
    fit(undisturbed, batches, n_steps=11)
    options = {"n_steps": 11, "checkpoints": tmp_path, "checkpoint_every": 3}
    with pytest.raises(KeyboardInterrupt):
        fit(CountStep(fail_at=7), batches, **options)
    latest_checkpoint(tmp_path).write_bytes(b"power cut")
    (tmp_path / "step_00000009.pt.tmp").write_bytes(b"half")
    resumed = CountStep()
    fit(resumed, batches, **options, resume=True)
    assert resumed.seen[0] == 3
    assert "step_00000006.pt" in caplog.text
    assert not list(tmp_path.glob("*.tmp"))
    assert torch.equal(resumed.total.weight, undisturbed.total.weight)


def test_a_process_that_is_not_the_first_writes_nothing(tmp_path):
    class Fabric:
        world_size, global_rank = 2, 1

        def broadcast(self, value):
            return None  # the first process found no checkpoint

        def all_reduce(self, value, *, reduce_op):
            return 2 * value

    step, records, listener = CountStep(), [], Listener()
    step.devices = Devices(Fabric())
    fit(step, batches, n_steps=2, checkpoints=tmp_path, log=records.append, progress=listener)
    assert step.seen == [0, 1]
    assert (records, listener.heard, list(tmp_path.iterdir())) == ([], [], [])


def test_stops_when_the_loss_is_not_finite():
    class Diverging(CountStep):
        def __call__(self, batch):
            return {"loss": torch.tensor(float("nan"))}

    with pytest.raises(FloatingPointError, match=r"train got loss = nan by step 2\. Lower"):
        fit(Diverging(), batches, n_steps=9, log_every=2)


@pytest.mark.parametrize("rank", [0, 1])
def test_what_is_not_finite_is_never_saved(tmp_path, rank):
    class Fabric:
        world_size, global_rank = 2, rank

        def broadcast(self, value):
            return value

        def all_reduce(self, value, *, reduce_op):
            return 2 * value

    class Diverging(CountStep):
        def __call__(self, batch):
            super().__call__(batch)
            return {"loss": torch.tensor(float("nan") if batch[0] > 2 else 1.0)}

    step = Diverging()
    step.devices = Devices(Fabric())
    with pytest.raises(FloatingPointError, match="by step 4"):  # long before the next record
        fit(step, batches, n_steps=9, log_every=9, checkpoints=tmp_path, checkpoint_every=2)
    kept = latest_checkpoint(tmp_path)
    assert (kept and kept.name) == (None if rank else "step_00000002.pt")


def test_a_checkpoint_between_records_changes_no_record(tmp_path):
    records = []
    fit(CountStep(), batches, n_steps=4, log=records.append, log_every=4, checkpoints=tmp_path,
        checkpoint_every=3)  # fmt: skip
    assert [record["loss"] for record in records] == [1.5]


def test_refuses_no_steps():
    with pytest.raises(ValueError, match="`n_steps` must be greater than 0"):
        fit(CountStep(), batches, n_steps=0)
