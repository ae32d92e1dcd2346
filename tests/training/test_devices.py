import threading

import pytest
import torch
from torch import nn

from phosphene.training.devices import (
    ALONE,
    Devices,
    _started_processes,
    check_divisible,
    launch_devices,
)


class Threads:
    """Stands for fabric: threads of one process that add up what they hold."""

    def __init__(self, n):
        self.world_size, self.here = n, threading.local()
        self.barrier, self.held = threading.Barrier(n, timeout=20), [None] * n

    @property
    def global_rank(self):
        return self.here.rank

    def broadcast(self, value):
        return self._exchange(value)[0]

    def all_reduce(self, value, *, reduce_op):
        assert reduce_op == "sum"
        return value.copy_(torch.stack(self._exchange(value.clone())).sum(0))

    def _exchange(self, value):
        self.held[self.global_rank] = value
        self.barrier.wait()
        found = list(self.held)
        self.barrier.wait()
        return found


def run_in_threads(function, n=2):
    """Call function(devices) in n threads and return what each returned, in order."""
    threads, results = Threads(n), [None] * n

    def work(rank):
        threads.here.rank = rank
        results[rank] = function(Devices(threads))

    workers = [threading.Thread(target=work, args=(rank,)) for rank in range(n)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert None not in results, "a thread failed"
    return results


def norms_and_slopes(network, images, devices):
    """Return outputs, the gradient of a loss with second derivatives, and running statistics."""
    own = devices.rows(images).clone().requires_grad_()
    with devices.joined([network]):
        outputs = network(own)
        (slope,) = torch.autograd.grad(outputs.sin().sum(), own, create_graph=True)
        (outputs.square().mean() + slope.square().sum((1, 2, 3)).mean()).backward()
    devices.average_gradients(network.parameters())
    gradients = [parameter.grad for parameter in network.parameters()]
    return outputs.detach(), slope.detach(), gradients, list(network.buffers())


def make_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, momentum=0.3), nn.Tanh()).double()


def test_batch_norm_over_processes_is_that_of_one_up_to_second_derivatives():
    images = torch.randn(6, 2, 5, 5, generator=torch.Generator().manual_seed(1)).double()
    outputs, slope, gradients, statistics = norms_and_slopes(make_network(), images, ALONE)
    networks = [make_network() for _ in range(2)]
    found = run_in_threads(lambda d: norms_and_slopes(networks[d.rank], images, d))
    torch.testing.assert_close(torch.cat([part[0] for part in found]), outputs)
    torch.testing.assert_close(torch.cat([part[1] for part in found]), slope)
    for part in found:
        torch.testing.assert_close(part[2], gradients)
        torch.testing.assert_close(part[3], statistics)
        assert all(torch.equal(a, b) for a, b in zip(part[2], found[0][2], strict=True))


def test_networks_are_as_before_after_training_together():
    networks = [nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5)).eval() for _ in range(2)]
    values = torch.randn(4, 2)

    def look(devices):
        network = networks[devices.rank]
        with devices.joined([network]):
            exchanged = ["forward" in vars(module) for module in network]
            return exchanged, network(values)  # in evaluation mode nothing is shared

    assert look(ALONE)[0] == [False, False]
    for network, (exchanged, found) in zip(networks, run_in_threads(look), strict=True):
        assert exchanged == [True, True]
        assert torch.equal(found, network(values))
        assert not any("forward" in vars(module) for module in network)


def test_a_gathered_loss_has_the_gradient_of_one_process():
    weight = torch.linspace(-1, 1, 12).view(6, 2)

    def loss_of(rows):
        return (rows @ rows.T).sin().sum()

    alone = weight.clone().requires_grad_()
    loss_of(alone).backward()

    def work(devices):
        parameter = nn.Parameter(devices.rows(weight).clone())
        loss = loss_of(devices.gather(parameter))
        loss.backward()
        return loss.detach(), parameter.grad / devices.n  # as average_gradients divides

    found = run_in_threads(work, n=3)
    torch.testing.assert_close(torch.cat([gradient for _, gradient in found]), alone.grad)
    assert found[0][0] == found[1][0] == found[2][0] == loss_of(weight)


def test_all_hear_what_the_first_says():
    found = run_in_threads(lambda d: (d.first, d.agree(d.rank), d.mean_values({"a": d.rank + 1.0})))
    assert found == [(True, 0, {"a": 1.5}), (False, 0, {"a": 1.5})]


def test_one_process_takes_no_detour():
    values = torch.randn(4, 2)
    assert ALONE.first
    assert ALONE.rows(values) is ALONE.gather(values) is ALONE.mean(values) is values
    assert ALONE.agree(values) is values
    assert launch_devices(1) is ALONE


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(ValueError, match=r"got 9 rows for 2 devices\. Take 3, 9 devices"):
        check_divisible("a batch", 9, 2)
    check_divisible("a batch", 9, 3)


def test_a_lost_process_is_one_sentence():
    class Lost:
        world_size, global_rank = 2, 1

        def broadcast(self, value):
            raise RuntimeError("[pair.cc:553] Connection closed by peer")

    with pytest.raises(ConnectionError, match="another one is gone"):
        Devices(Lost()).agree(1)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("", 1, 1)),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "2"}, ("", 1, 1)),  # started by ourselves
        (
            {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"},
            ("torchrun", 8, 2),
        ),
        ({"SLURM_JOB_ID": "1", "SLURM_NTASKS": "8"}, ("", 1, 1)),  # sbatch without srun
        (
            {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "8", "SLURM_STEP_NUM_NODES": "2"},
            ("srun", 8, 2),
        ),
    ],
)
def test_knows_who_started_it(environment, expected):
    assert _started_processes(environment) == expected


def test_a_number_other_than_torchruns_is_refused(monkeypatch):
    for name, value in (("TORCHELASTIC_RUN_ID", "x"), ("WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"torchrun started, 2; got 1\. Add --devices 2"):
        launch_devices(1)
