import numpy as np
import torch

from phosphene.experiment.responses.batches import (
    picture_batches,
    showing_batches,
    window_batches,
)


def test_windows_follow_from_seed_and_step(session):
    windows = session.windows(everything=True)
    one, other = (window_batches(windows, batch_size=5, seed=3) for _ in range(2))
    assert torch.equal(one(7)[0], other(7)[0])
    assert not torch.equal(one(7)[0], one(8)[0])
    assert not torch.equal(one(7)[0], window_batches(windows, batch_size=5, seed=4)(7)[0])
    (batch,) = one(0)
    assert batch.shape == (5, 6, 313)
    assert torch.allclose(batch.std((1, 2), unbiased=False), torch.ones(5), atol=1e-4)


def test_every_picture_comes_once_per_pass(session):
    batches = picture_batches(session.pictures, batch_size=5, seed=0)
    seen = torch.cat([batches(0)[0], batches(1)[0]])
    assert len(seen.flatten(1).unique(dim=0)) == 10


def test_showings_stand_beside_their_pictures(session):
    batches = showing_batches(session, batch_size=16, seed=0, with_pictures=True)
    signals, pictures, index = batches(2)
    assert signals.shape == (16, 6, 313)
    assert len(pictures) == len(index.unique())
    known = {session.signals[row].tobytes(): row for row in session.rows["train"]}
    for window, place in zip(signals.numpy(), index.tolist(), strict=True):
        row = known[np.ascontiguousarray(window).tobytes()]  # a training showing, and no other
        assert torch.equal(pictures[place], session.pictures[session.picture[row]])


def test_without_pictures_there_are_windows_alone(session):
    batches = showing_batches(session, batch_size=4, seed=0, with_pictures=False)
    assert [tensor.shape for tensor in batches(0)] == [(4, 6, 313)]
