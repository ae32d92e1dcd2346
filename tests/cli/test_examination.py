import sys
from pathlib import Path

import pytest

from phosphene.cli import examination
from phosphene.cli.machine import Cores, Disk, Memory

FREE = Cores(total=2, usable=2, limited_by="")
MANY = Cores(total=64, usable=64, limited_by="")
CPU = {"version": "2.13.0+cpu", "cuda": None, "threads": 2, "devices": []}
H100 = {"kind": "cuda:0", "name": "H100", "memory": 80 * 10**9, "error": ""}


def states(findings):
    return {finding.name: finding.state for finding in findings}


def test_an_old_python_is_missing():
    assert examination.examine_python((3, 11)).state == "ok"
    found = examination.examine_python((3, 9))
    assert (found.state, found.value) == ("missing", "3.9")
    assert "3.11" in found.remedy


def test_needed_packages_are_those_that_are_declared():
    needed = examination.needed_packages()
    assert needed["torch"] == "2.9"
    assert needed["mne"] == ""
    assert "pytest" not in needed


def test_packages_that_lack_or_are_too_old_are_missing_with_a_command(monkeypatch):
    versions = {"numpy": "2.4.6", "torch": "2.8.1+cpu"}
    monkeypatch.setattr(examination, "_version", versions.get)
    needed = {"numpy": "", "torch": "2.9", "mne": ""}
    found = examination.examine_packages(needed)
    assert states(found) == {"numpy": "ok", "torch": "missing", "mne": "missing"}
    assert found[1].why == "torch>=2.9 is needed; 2.8.1+cpu is installed."
    assert "pip install 'torch>=2.9'" in found[1].remedy
    assert found[2].remedy.endswith("-m pip install mne")


@pytest.mark.parametrize("version", ["2.9", "2.9.1", "2.13.0+cpu", "3.0rc1", "2.10.0.dev20260101"])
def test_versions_are_compared_as_numbers(monkeypatch, version):
    monkeypatch.setattr(examination, "_version", lambda _: version)
    assert examination.examine_packages({"torch": "2.9"})[0].state == "ok"


def test_torch_on_the_cpu_of_a_machine_without_gpu_is_fine():
    found = examination.examine_torch(CPU, gpu=None, cores=FREE)
    assert set(states(found).values()) == {"ok"}
    assert found[1].value == "CPU"


@pytest.mark.parametrize(
    ("installed", "wanted"),
    [("2.13.0+cpu", "torch==2.13.0"), ("2.12", "torch==2.12"), (None, "torch")],
)
@pytest.mark.parametrize("gpu", [None, "H100"])
def test_a_broken_torch_is_replaced_by_the_same_version(monkeypatch, installed, wanted, gpu):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr(examination, "_version", lambda _: installed)
    (found,) = examination.examine_torch({"error": "OSError: libc10"}, gpu=gpu, cores=FREE)
    assert found.state == "missing"
    assert "OSError: libc10" in found.why
    assert found.remedy.endswith(
        f"install --force-reinstall {wanted} --index-url https://download.pytorch.org/whl/cpu"
    )


@pytest.mark.parametrize("cuda", [None, "12.6"])
def test_a_gpu_that_torch_does_not_see_is_named_and_no_trouble(cuda):
    found = examination.examine_torch({**CPU, "cuda": cuda}, gpu="H100", cores=FREE)
    assert set(states(found).values()) == {"ok"}
    assert [f.value for f in found[1:3]] == ["CPU", "H100; not used by this version"]


def test_a_gpu_that_torch_sees_is_named_with_its_memory_and_never_trouble():
    asked = {**CPU, "cuda": "12.6", "devices": [H100, {**H100, "error": "no kernel image"}]}
    found = examination.examine_torch(asked, gpu="H100", cores=FREE)
    assert set(states(found).values()) == {"ok"}
    assert [f.value for f in found[2:4]] == ["H100, 80 GB; not used by this version"] * 2
    assert found[2].name == "cuda:0"


@pytest.mark.parametrize(
    ("threads", "cores", "remedy"),
    [
        (64, Cores(total=64, usable=2, limited_by="cgroup"), "export OMP_NUM_THREADS=2"),
        (1, MANY, "unset OMP_NUM_THREADS MKL_NUM_THREADS"),
        (32, MANY, ""),
        (1, FREE, ""),
    ],
)
def test_threads_that_do_not_suit_the_cores_are_trouble(threads, cores, remedy):
    found = examination.examine_threads(threads, cores)
    assert found.remedy == remedy
    assert found.state == ("trouble" if remedy else "ok")


def test_cores_name_what_limits_them():
    cores = Cores(total=64, usable=2, limited_by="cgroup")
    found = examination.examine_cores(cores, {"OMP_NUM_THREADS": "1", "HOME": "/"})
    assert found.value == "2 usable of 64 (limited by cgroup), OMP_NUM_THREADS=1"


@pytest.mark.parametrize(("gigabytes", "state"), [(12.0, "ok"), (1.5, "trouble")])
def test_little_memory_is_trouble(gigabytes, state):
    memory = Memory(total=16 * 10**9, available=int(gigabytes * 1e9), limit=14 * 10**9)
    found = examination.examine_memory(memory)
    assert found.state == state
    assert found.value == f"16.0 GB, limited to 14.0 GB, {gigabytes:.1f} GB available"


def test_unknown_memory_is_not_trouble():
    found = examination.examine_memory(Memory(total=None, available=None, limit=None))
    assert (found.state, found.value) == ("ok", "not known")


@pytest.mark.parametrize(
    ("free", "writable", "match"),
    [(10**10, True, ""), (10**9, True, r"1.0 GB are free"), (10**10, False, "cannot be written")],
)
def test_a_full_or_closed_disk_is_trouble(free, writable, match):
    found = examination.examine_disk("here", Disk(folder=Path(), free=free, writable=writable))
    assert found.state == ("trouble" if match else "ok")
    assert match in found.why
    assert bool(found.remedy) == bool(match)


def test_optional_packages_are_never_missing(monkeypatch):
    monkeypatch.setattr(examination, "_version", lambda _: None)
    found = {finding.name: finding for finding in examination.examine_optional()}
    assert found["mne-bids"].state == "optional"
    assert found["mne-bids"].remedy.endswith("-m pip install mne-bids")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def test_weights_that_were_not_fetched_are_optional(cache):
    disk, weights = examination.examine_downloads()
    assert disk.name == "disk, cache"
    assert (weights.name, weights.state) == ("inception-2015", "optional")
    assert weights.remedy == "phosphene data fetch inception-2015"


def test_weights_that_are_damaged_are_trouble(cache):
    from phosphene.data.downloads import cached_file

    path = cached_file("inception-2015")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    found = examination.examine_download("inception-2015")
    assert (found.state, found.value) == ("trouble", "damaged")
    assert "SHA-256" in found.why
    assert found.remedy.startswith("rm ")


def test_no_downloads_are_named_where_numpy_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "phosphene.data.downloads", None)
    assert examination.examine_downloads() == []


def test_no_driver_no_gpu(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert examination.nvidia_gpu() is None


def test_the_driver_names_the_gpu(monkeypatch, tmp_path):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert examination.nvidia_gpu() == "NVIDIA H100 80GB HBM3"
    driver.write_text("#!/bin/sh\nexit 9\n")
    assert examination.nvidia_gpu() is None
