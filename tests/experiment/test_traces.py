import pytest
import torch
from torch import nn

from phosphene.experiment.traces import add_time, note_network, note_speed, weights_digest
from phosphene.run_dir import RunDir


@pytest.fixture
def run(tmp_path):
    return RunDir(tmp_path)


def test_networks_are_counted_by_what_is_trained(run):
    network = nn.Linear(3, 2)
    network.bias.requires_grad_(False)
    note_network(run, "encoder", network)
    note_network(run, "optimizer", torch.optim.SGD(network.parameters(), lr=0.1))
    note_network(run, "judge", nn.Linear(1, 1), digest=True)
    found = run.read_json("networks.json")
    assert found.keys() == {"encoder", "judge"}
    assert found["encoder"] == {"network": "Linear", "n_parameters": 6}
    assert len(found["judge"]["digest"]) == 16


def test_the_digest_is_that_of_weights_and_buffers():
    torch.manual_seed(0)
    first, second = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    assert weights_digest(first) == weights_digest(second)
    second.running_mean[0] = 1e-7
    assert weights_digest(first) != weights_digest(second)


def test_the_seconds_of_several_folds_and_sittings_add_up(run):
    add_time(run, "encoder", 1.5)
    add_time(run, "generator", 1.0)
    add_time(run, "encoder", 2.0)
    note_speed(run, 10.0)
    found = run.read_json("timings.json")
    assert found["train_s"] == {"encoder": 3.5, "generator": 1.0}
    assert found["pictures_per_s"] == 10
    assert found["n_threads"] == torch.get_num_threads()


def test_a_run_leaves_what_comparisons_read(trained):
    networks = trained.run.read_json("networks.json")
    assert networks.keys() >= {"encoder", "generator", "discriminator", "judge", "domain"}
    assert networks["encoder"]["network"] == "CompactCNN"
    assert networks["judge"]["digest"] != networks["domain"]["digest"]
    timings = trained.run.read_json("timings.json")
    assert timings["pictures_per_s"] > 0
    assert timings["train_s"].keys() >= {"encoder", "generator", "judge", "permuted labels"}
