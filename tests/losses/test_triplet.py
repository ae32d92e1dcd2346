import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.losses.triplet import _sort_rows, semi_hard_triplet_loss


def slow(features, labels, *, margin, squared):
    """The rule in words, one pair after the other."""
    losses = []
    for a, anchor in enumerate(features):

        def distance(i, anchor=anchor):
            gap = (anchor - features[i]).square().sum()
            return gap if squared else gap.sqrt()

        negatives = [i for i in range(len(labels)) if labels[i] != labels[a]]
        for p in range(len(labels)):
            if p == a or labels[p] != labels[a] or not negatives:
                continue
            farther = [distance(n) for n in negatives if distance(n) > distance(p)]
            chosen = min(farther) if farther else max(distance(n) for n in negatives)
            losses.append((margin + distance(p) - chosen).clamp(min=0))
    return torch.stack(losses).mean() if losses else features.sum() * 0


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("margin", [1.0, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_slow_form_and_its_gradient(seed, margin, squared):
    rng = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (19,), generator=rng)
    start = F.normalize(torch.randn(19, 5, generator=rng, dtype=torch.float64))
    results = []
    for loss in (semi_hard_triplet_loss, slow):
        features = start.clone().requires_grad_()
        value = loss(features, labels, margin=margin, squared=squared)
        value.backward()
        results.append((value.detach(), features.grad))
    torch.testing.assert_close(*results)


LAYOUTS = {
    "two of a kind": [0, 0],
    "all different": [0, 1, 2, 3],
    "one class": [7, 7, 7],
    "one stranger": [0, 0, 0, 0, 0, 1],
    "only one class has pairs": [0, 1, 2, 3, 3, 3, 4],
    "pairs": [0, 0, 1, 1, 2, 2, 3, 3],
    "uneven": [0, 2, 0, 1, 0, 2, 0, 0, 1, 5, 0],
    "names of classes": [-3, 900, -3, 900, 12, 12, 12],
}


@pytest.mark.parametrize("labels", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("tied", [False, True], ids=["all distances differ", "many ties"])
def test_equals_the_slow_form_in_any_layout(labels, tied):
    """Ties leave open which of the tied gets the gradient, so there values alone are compared."""
    rng = torch.Generator().manual_seed(len(labels))
    n = len(labels)
    if tied:  # small integers: distances are exact and many are equal, zero among them
        start = torch.randint(-2, 3, (n, 1), generator=rng).double()
    else:
        start = torch.randn(n, 4, generator=rng, dtype=torch.float64)
    results = []
    for loss in (semi_hard_triplet_loss, slow):
        features = start.clone().requires_grad_()
        value = loss(features, torch.tensor(labels), margin=1.0, squared=tied)
        value.backward()
        results.append([value.detach()] if tied else [value.detach(), features.grad])
    torch.testing.assert_close(*results)


def test_known_answer_on_a_line():
    features = torch.tensor([[0.0], [1.0], [1.5], [5.0]])
    labels = torch.tensor([0, 0, 1, 1])
    # anchor 0, positive 1: nearest farther stranger 1.5 -> 1 + 1 - 1.5
    # anchor 1, positive 0: strangers at .5 and 4 -> 4 -> 1 + 1 - 4 < 0
    # anchor 2, positive 3: strangers at 1.5 and .5, none farther than 3.5 -> 1.5 -> 1 + 3.5 - 1.5
    # anchor 3, positive 2: strangers at 5 and 4, nearest farther than 3.5 is 4 -> 1 + 3.5 - 4
    expected = torch.tensor((0.5 + 0.0 + 3.0 + 0.5) / 4)
    torch.testing.assert_close(semi_hard_triplet_loss(features, labels), expected)


def test_a_stranger_as_far_as_the_positive_is_not_farther():
    features = torch.tensor([[0.0], [1.0], [-1.0], [3.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 2])
    # anchor 0, positive 1 at 1: the stranger at 1 ties, the next is at 3 -> 1 + 1 - 3 < 0
    # anchor 1, positive 0 at 1: strangers both at 2 -> 0
    torch.testing.assert_close(
        semi_hard_triplet_loss(features, labels), torch.tensor(0.0, dtype=torch.float64)
    )


def test_coinciding_rows_have_a_finite_gradient():
    features = torch.ones(6, 3, requires_grad=True)
    loss = semi_hard_triplet_loss(features, torch.tensor([0, 0, 0, 1, 1, 1]))
    loss.backward()
    assert loss == 1.0  # all distances are zero: what remains is the margin
    assert features.grad.isfinite().all()


@pytest.mark.parametrize("labels", [[0, 1, 2], [5, 5, 5]], ids=["no positive", "no negative"])
def test_nothing_to_compare_is_zero_with_zero_gradient(labels):
    features = torch.randn(3, 4, requires_grad=True)
    loss = semi_hard_triplet_loss(features, torch.tensor(labels))
    loss.backward()
    assert loss == 0
    assert not features.grad.any()


def test_large_batches_take_no_cubic_memory():
    features = F.normalize(torch.randn(1024, 8))  # 1024**3 floats would be 4 GiB
    assert semi_hard_triplet_loss(features, torch.arange(1024) % 10).isfinite()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_rows_sort_as_torch_sorts_them(dtype):
    values = torch.randn(7, 50, generator=torch.Generator().manual_seed(0)).to(dtype)
    values[:, 40:] = torch.inf
    ordered, columns = _sort_rows(values)
    assert torch.equal(ordered, values.sort(dim=1).values)
    assert torch.equal(values.gather(1, columns), ordered)
