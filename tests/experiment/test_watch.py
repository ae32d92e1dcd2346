from phosphene.experiment.watch import Watch
from phosphene.training.progress import SilentProgress


def test_records_carry_their_fold():
    records = []
    watch = Watch(log=records.append, progress=SilentProgress(), fold="a")
    watch.record({"step": 1})
    assert records == [{"step": 1, "fold": "a"}]
    assert watch.devices.n == 1
