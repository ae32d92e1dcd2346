import os
from pathlib import Path

import pytest

from phosphene.cli.machine import count_cores, measure_disk, measure_memory

GIB = 1 << 30


@pytest.fixture
def system(tmp_path):
    """A machine of 16 GiB as files; `write(path, text)` adds to it."""

    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return tmp_path

    write("proc/meminfo", f"MemTotal: {16 << 20} kB\nMemAvailable: {12 << 20} kB\n")
    return write


def test_without_control_groups_the_machine_is_the_limit(system):
    found = measure_memory(system("proc/self/status", ""))
    assert (found.total, found.available, found.limit) == (16 * GIB, 12 * GIB, None)


def test_version_2_takes_the_tightest_group_on_the_way_up(system):
    system("proc/self/cgroup", "0::/a/b\n")
    system("sys/fs/cgroup/a/memory.max", f"{4 * GIB}\n")
    system("sys/fs/cgroup/a/memory.current", f"{3 * GIB}\n")
    system("sys/fs/cgroup/a/memory.stat", f"anon 1\ninactive_file {GIB}\n")
    found = measure_memory(system("sys/fs/cgroup/a/b/memory.max", "max\n"))
    assert (found.limit, found.available) == (4 * GIB, 2 * GIB)


def test_version_1_without_a_limit_writes_a_huge_number(system):
    system("proc/self/cgroup", "4:memory:/a\n0::/\n")
    system("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    found = measure_memory(system("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "5\n"))
    assert (found.limit, found.available) == (None, 12 * GIB)
    system("sys/fs/cgroup/memory/a/memory.limit_in_bytes", f"{GIB}\n")
    found = measure_memory(system("sys/fs/cgroup/memory/a/memory.stat", "total_inactive_file 5\n"))
    assert (found.limit, found.available) == (GIB, GIB)


@pytest.mark.parametrize(
    ("files", "usable"),
    [
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000\n"}, 64),
        (
            {
                "proc/self/cgroup": "1:cpu,cpuacct:/a\n",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
    ],
)
def test_a_quota_counts_as_cores(system, monkeypatch, files, usable):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    for path, text in files.items():
        folder = system(path, text)
    found = count_cores(folder)
    assert (found.total, found.usable) == (64, usable)
    assert found.limited_by == ("cgroup" if usable < 64 else "")


def test_affinity_counts_as_cores(system, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    found = count_cores(system("proc/self/status", ""))
    assert (found.usable, found.limited_by) == (2, "affinity")


def test_a_folder_that_is_not_there_yet_has_the_space_of_the_one_above(tmp_path):
    here, later = measure_disk(tmp_path), measure_disk(tmp_path / "a" / "b")
    assert later.writable
    assert later.free == pytest.approx(here.free, rel=0.1)
    assert later.free > 0


def test_the_real_machine_has_memory_and_cores():
    assert count_cores().usable >= 1
    if Path("/proc/meminfo").is_file():
        found = measure_memory()
        assert 0 < found.available <= found.total
