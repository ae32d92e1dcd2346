import pytest
import torch

from phosphene.augment.signal import SignalAugmentation, augment_signals, crop_margin


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_all_off_by_default():
    signals = torch.randn(4, 3, 10)
    assert torch.equal(augment_signals(signals, SignalAugmentation(), generator=rng()), signals)
    assert torch.equal(crop_margin(signals, margin=0), signals)


def test_crop_without_shift_is_the_middle():
    signals = torch.arange(10.0).expand(2, 1, 10)
    assert torch.equal(crop_margin(signals, margin=3)[0, 0], torch.arange(3.0, 7.0))


def test_shift_moves_whole_trials_within_its_reach():
    signals = torch.arange(20.0).expand(300, 2, 20)
    cropped = crop_margin(signals, margin=5, max_shift=3, generator=rng())
    assert cropped.shape == (300, 2, 10)
    assert torch.equal(cropped[:, 0], cropped[:, 1])
    starts = cropped[:, 0, 0]
    assert (starts.min(), starts.max()) == (2, 8)
    assert torch.equal(cropped[:, 0] - starts[:, None], torch.arange(10.0).expand(300, 10))


def test_shift_beyond_the_margin_is_refused():
    with pytest.raises(ValueError, match="at most the margin of 1 samples; got 2"):
        crop_margin(torch.zeros(1, 1, 9), margin=1, max_shift=2)


def test_channels_drop_whole():
    signals = torch.ones(500, 4, 6)
    dropped = augment_signals(signals, SignalAugmentation(channel_dropout=0.25), generator=rng())
    assert set(dropped.sum(2).unique().tolist()) == {0.0, 6.0}
    assert dropped.mean() == pytest.approx(0.75, abs=0.03)


def test_scale_is_one_factor_per_trial_and_noise_has_its_deviation():
    signals = torch.ones(1000, 2, 3)
    scaled = augment_signals(signals, SignalAugmentation(scale=0.2), generator=rng())
    assert (scaled.flatten(1).std(1) == 0).all()
    assert scaled[:, 0, 0].log().std() == pytest.approx(0.2, rel=0.1)
    noisy = augment_signals(signals, SignalAugmentation(noise=0.5), generator=rng())
    assert (noisy - signals).std() == pytest.approx(0.5, rel=0.05)
