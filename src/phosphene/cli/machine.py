"""What the machine gives: cores, memory and disk, with the limits of containers; no torch."""

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

SYSTEM = Path("/")
UNLIMITED = 1 << 60
"""Memory limits above this mean that there is none."""


@dataclass(frozen=True, kw_only=True)
class Cores:
    """Processor cores: all of the machine, and those that this process may use."""

    total: int
    usable: int
    limited_by: str
    """What keeps cores from this process: "", "affinity" or "cgroup"."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Memory in bytes; None where the system does not tell."""

    total: int | None
    available: int | None
    """What can be taken now, within the limit."""
    limit: int | None
    """Of the container or service; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """Space where a folder lies, or would lie."""

    folder: Path
    free: int
    writable: bool


def count_cores(system: Path = SYSTEM) -> Cores:
    """Count the cores that affinity and the quota of the control group leave.

    Parameters
    ----------
    system
        Where /proc and /sys lie; another folder in tests.
    """
    total = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else total
    quotas = [quota for folder in _groups("cpu", system) if (quota := _quota(folder)) is not None]
    quota = max(1, math.ceil(min(quotas))) if quotas else total
    usable = min(total, affinity, quota)
    limited_by = "" if usable == total else "cgroup" if quota == usable else "affinity"
    return Cores(total=total, usable=usable, limited_by=limited_by)


def measure_memory(system: Path = SYSTEM) -> Memory:
    """Return total and available memory, and the limit of the control group."""
    total, available = _meminfo(system)
    limit, left = None, available
    for folder in _groups("memory", system):
        most = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        if most is None or most > UNLIMITED or (total is not None and most >= total):
            continue
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        free = max(0, most - used + _reclaimable(folder))
        limit = most if limit is None else min(limit, most)
        left = free if left is None else min(left, free)
    return Memory(total=total, available=left, limit=limit)


def measure_disk(folder: Path) -> Disk:
    """Return the free space at a folder, or at the nearest one above it that exists."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    return Disk(folder=folder, free=free, writable=os.access(place, os.W_OK | os.X_OK))


def _meminfo(system: Path) -> tuple[int | None, int | None]:
    path = system / "proc" / "meminfo"
    if path.is_file():
        pairs = (line.partition(":")[::2] for line in path.read_text().splitlines())
        values = {name: text.split() for name, text in pairs}
        total, available = (
            int(values[name][0]) * 1024 if values.get(name) else None
            for name in ("MemTotal", "MemAvailable")
        )
        return total, available
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
    except (AttributeError, ValueError, OSError):
        return None, None


def _groups(controller: str, system: Path) -> list[Path]:
    """Return the folders of this process's control group and its parents that exist."""
    listing, root = system / "proc" / "self" / "cgroup", system / "sys" / "fs" / "cgroup"
    if not listing.is_file():
        return []
    folders = []
    for line in listing.read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:  # version 2; beside version 1 it is "unified"
            top = root
        elif controller in controllers.split(","):
            top = root / controllers if (root / controllers).is_dir() else root / controller
        else:
            continue
        inside = top / path.lstrip("/")
        folders += [inside, *(p for p in inside.parents if p == top or top in p.parents)]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _quota(folder: Path) -> float | None:
    """Return the cores that a group may use, None where it may use all."""
    path = folder / "cpu.max"
    if path.is_file():
        words = path.read_text().split()
        quota, period = [int(w) if w.isdigit() else None for w in (*words, "100000")[:2]]
    else:
        quota = _number(folder / "cpu.cfs_quota_us")
        period = _number(folder / "cpu.cfs_period_us")
    return quota / period if quota and period else None


def _reclaimable(folder: Path) -> int:
    """Return the file cache that counts as used and goes when memory is wanted."""
    path = folder / "memory.stat"
    if not path.is_file():
        return 0
    pairs = dict(line.split(maxsplit=1) for line in path.read_text().splitlines() if " " in line)
    return int(pairs.get("total_inactive_file", pairs.get("inactive_file", "0")))


def _number(path: Path) -> int | None:
    """Read a number; None for "max", -1 or a file that is not there."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
