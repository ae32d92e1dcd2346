import torch

from phosphene.training.seeding import derive_seed, draw_seed, seeded, seeded_generator


def test_purposes_do_not_share_draws():
    seeds = {derive_seed(0), derive_seed(1), derive_seed(0, "a"), derive_seed(0, "a", 1)}
    assert len(seeds) == 4


def test_the_same_purpose_gives_the_same_numbers_everywhere():
    assert derive_seed(3, "encoder", 1) == 23054581686786517
    first, again = (torch.rand(3, generator=seeded_generator(3, "x")) for _ in range(2))
    assert torch.equal(first, again)


def test_scope_leaves_the_global_state_as_found():
    before = torch.get_rng_state()
    with seeded(5):
        inside = torch.rand(2)
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(5):
        assert torch.equal(torch.rand(2), inside)


def test_drawn_seeds_differ():
    rng = seeded_generator(0)
    assert draw_seed(rng) != draw_seed(rng)
