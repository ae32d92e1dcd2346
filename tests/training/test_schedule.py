import pytest
import torch

from phosphene.training.schedule import make_schedule


def rates(n_seen, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule = make_schedule(optimizer, **options)
    seen = []
    for _ in range(n_seen):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_constant_stays():
    assert rates(3) == [2.0, 2.0, 2.0]


def test_cosine_goes_from_full_to_zero():
    seen = rates(5, kind="cosine", n_steps=4)
    assert seen == pytest.approx([2.0, 1.7071, 1.0, 0.2929, 0.0], abs=1e-4)


def test_warmup_rises_linearly():
    assert rates(5, n_warmup=3) == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0])


def test_inverse_time_divides_by_what_grows_with_each_step():
    assert rates(4, kind="inverse_time", decay=0.5) == pytest.approx([2.0, 2 / 1.5, 1.0, 2 / 2.5])


def test_refusals():
    with pytest.raises(ValueError, match="Did you mean 'cosine'"):
        rates(1, kind="cosin")
    with pytest.raises(ValueError, match="must know the length of training"):
        rates(1, kind="cosine")
    for options in ({"kind": "inverse_time"}, {"decay": 0.1}, {"kind": "cosine", "decay": 0.1}):
        with pytest.raises(ValueError, match="a decay must go with the inverse_time schedule"):
            rates(1, n_steps=3, **options)
    with pytest.raises(ValueError, match="`decay` must be at least 0"):
        rates(1, kind="inverse_time", decay=-0.1)
