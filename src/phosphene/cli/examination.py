"""What `phosphene doctor` looks at, one function per part; each returns findings."""

import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any, Literal

from phosphene import __version__
from phosphene._checks.installation import pip_install
from phosphene.cli.machine import Cores, Disk, Memory, measure_disk

PYTHON = (3, 11)
GB = 1e9
LOW_DISK, LOW_MEMORY = 2 * GB, 2 * GB
MANY_CORES = 4
OPTIONAL = {
    "mne-bids": "reads BIDS folders",
    "pymatreader": "reads EEGLAB files in MATLAB's 7.3 format",
    "pyriemann": "decodes in the tangent space of covariances, a baseline beside LDA",
}
"""Packages that only some files need."""
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
UNUSED = "not used by this version"

State = Literal["ok", "optional", "trouble", "missing"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the examination."""

    section: Literal["software", "torch", "machine", "optional"]
    name: str
    value: str
    state: State = "ok"
    """"missing" stops commands, "trouble" slows or endangers them, "optional" is not there."""
    why: str = ""
    """What is wrong, in a sentence; empty where all is well."""
    remedy: str = ""
    """Command to type, or what to do; empty where all is well."""


def examine_python(found: tuple[int, int]) -> Finding:
    """Compare Python with the oldest that will do."""
    value = platform.python_version()
    if found >= PYTHON:
        return Finding(section="software", name="python", value=value)
    oldest = ".".join(map(str, PYTHON))
    return Finding(
        section="software",
        name="python",
        value=".".join(map(str, found)),
        state="missing",
        why=f"Python {oldest} or newer is needed.",
        remedy=f"make PYTHON=/path/to/python{oldest} demo",
    )


def examine_phosphene() -> Finding:
    """Name version and commit."""
    from phosphene.run_dir import source_commit

    commit = source_commit()
    value = f"{__version__}, commit {commit[:12]}" if commit else __version__
    if commit and commit.endswith("+changes"):
        value += " with changes"
    return Finding(section="software", name="phosphene", value=value)


def needed_packages() -> dict[str, str]:
    """Return the packages that Phosphene declares, with the oldest version of each or ""."""
    needed = {}
    try:
        lines = requires("phosphene") or ()
    except PackageNotFoundError:  # run from its source without being installed
        return {"phosphene": __version__}
    for line in lines:
        requirement, _, marker = line.partition(";")
        if "extra" in marker:
            continue
        match = re.match(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?", requirement)
        if match:
            needed[match[1]] = match[2] or ""
    return needed


def examine_packages(needed: Mapping[str, str]) -> list[Finding]:
    """Compare installed packages with those that are needed, name to oldest version or ""."""
    findings = []
    for name, oldest in needed.items():
        found = _version(name)
        if found is not None and _at_least(found, oldest):
            findings.append(Finding(section="software", name=name, value=found))
            continue
        wanted = f"{name}>={oldest}" if oldest else name
        findings.append(
            Finding(
                section="software",
                name=name,
                value=found or "not installed",
                state="missing",
                why=f"{wanted} is needed; {f'{found} is' if found else 'it is not'} installed.",
                remedy=torch_install(wanted) if name == "torch" else pip_install(wanted),
            )
        )
    return findings


def examine_torch(found: Mapping[str, Any], *, gpu: str | None, cores: Cores) -> list[Finding]:
    """Say on what torch computes, and name what it does not use.

    Parameters
    ----------
    found
        What `probe_torch` returned.
    gpu
        Name of an NVIDIA GPU that the driver reports; None without one.
    cores
        Cores that this process may use.
    """
    if "error" in found:
        version = (_version("torch") or "").partition("+")[0]  # 2.13.0+cpu is on its index alone
        return [
            Finding(
                section="torch",
                name="import",
                value="fails",
                state="missing",
                why=f"torch cannot be imported ({found['error']}).",
                remedy=torch_install(f"torch=={version}" if version else "torch", again=True),
            )
        ]
    build = f"CUDA {found['cuda']}" if found["cuda"] else "no CUDA"
    gpus = [
        (d["kind"], d["name"] + (f", {d['memory'] / GB:.0f} GB" if d["memory"] else ""))
        for d in found["devices"]
    ]
    if gpu and not gpus:
        gpus = [("GPU", gpu)]
    return [
        Finding(section="torch", name="built for", value=build),
        Finding(section="torch", name="device", value="CPU"),
        *(Finding(section="torch", name=n, value=f"{of}; {UNUSED}") for n, of in gpus),
        examine_threads(int(found["threads"]), cores),
    ]


def examine_threads(threads: int, cores: Cores) -> Finding:
    """Compare the threads that torch takes with the cores that it may use."""
    why, remedy = "", ""
    if threads > cores.usable:
        why = (
            f"torch takes {threads} threads, but {cores.usable} of {cores.total} cores are "
            "allowed; they wait for one another."
        )
        remedy = f"export OMP_NUM_THREADS={cores.usable}"
    elif threads == 1 and cores.usable >= MANY_CORES:
        why = f"torch takes one thread, although {cores.usable} cores are there."
        remedy = "unset OMP_NUM_THREADS MKL_NUM_THREADS"
    return Finding(
        section="torch",
        name="threads",
        value=str(threads),
        state="trouble" if why else "ok",
        why=why,
        remedy=remedy,
    )


def examine_cores(cores: Cores, environment: Mapping[str, str]) -> Finding:
    """Name cores and the variables that set threads."""
    value = f"{cores.usable} usable of {cores.total}"
    value += f" (limited by {cores.limited_by})" if cores.limited_by else ""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
    settings = [f"{name}={environment[name]}" for name in names if name in environment]
    return Finding(section="machine", name="cores", value=", ".join([value, *settings]))


def examine_memory(memory: Memory) -> Finding:
    """Name memory, and warn where little is left."""
    if memory.total is None:
        return Finding(section="machine", name="memory", value="not known")
    value = f"{memory.total / GB:.1f} GB"
    if memory.limit is not None:
        value += f", limited to {memory.limit / GB:.1f} GB"
    if memory.available is None:
        return Finding(section="machine", name="memory", value=value)
    value += f", {memory.available / GB:.1f} GB available"
    if memory.available >= LOW_MEMORY:
        return Finding(section="machine", name="memory", value=value)
    return Finding(
        section="machine",
        name="memory",
        value=value,
        state="trouble",
        why=f"training takes about 2 GB of memory; {memory.available / GB:.1f} GB are available.",
        remedy="close other programs, or train with --image-size 16",
    )


def examine_disk(name: str, disk: Disk) -> Finding:
    """Name free space, and warn where little is left or nothing can be written."""
    folder = "this folder" if name == "here" else f"the cache {disk.folder}"
    why, remedy = "", ""
    if not disk.writable:
        why = f"{folder} cannot be written."
        remedy = "cd to a folder of yours" if name == "here" else "export XDG_CACHE_HOME=FOLDER"
    elif disk.free < LOW_DISK:
        why = f"{disk.free / GB:.1f} GB are free in {folder}; runs and data sets need 2 GB."
        remedy = f"df -h {shlex.quote(str(disk.folder))}"
    return Finding(
        section="machine",
        name=f"disk, {name}",
        value=f"{disk.free / GB:.1f} GB free"
        + ("" if name == "here" else f" for {disk.folder}")
        + ("" if disk.writable else ", not writable"),
        state="trouble" if why else "ok",
        why=why,
        remedy=remedy,
    )


def examine_optional() -> list[Finding]:
    """Look for what only some files and scores need."""
    findings = []
    for name, use in OPTIONAL.items():
        found = _version(name)
        findings.append(
            Finding(
                section="optional",
                name=name,
                value=found or "not installed",
                state="ok" if found else "optional",
                why="" if found else f"{name} is not installed; it {use}.",
                remedy="" if found else pip_install(name),
            )
        )
    return findings


def examine_downloads() -> list[Finding]:
    """Look at the cache, and for the published files that belong there."""
    try:
        from phosphene.data.downloads import DOWNLOADS
        from phosphene.data.simulate.head_model import cache_folder
    except ImportError:  # a package that is missing, and reported
        return []
    return [
        examine_disk("cache", measure_disk(cache_folder())),
        *(examine_download(name) for name in DOWNLOADS),
    ]


def examine_download(name: str) -> Finding:
    """Say whether a published file is in the cache, whole."""
    from phosphene.data.downloads import DOWNLOADS, cached_file, read_verified

    path, known = cached_file(name), DOWNLOADS[name]
    fetch = f"phosphene data fetch {name}"
    if not path.is_file():
        return Finding(
            section="optional",
            name=name,
            value="not fetched",
            state="optional",
            why=f"{name} is not in the cache ({known.about}); scores that need it are left out.",
            remedy=fetch,
        )
    try:
        read_verified(name)
    except ValueError as error:
        return Finding(
            section="optional",
            name=name,
            value="damaged",
            state="trouble",
            why=str(error),
            remedy=f"rm {shlex.quote(str(path))} && {fetch}",
        )
    return Finding(section="optional", name=name, value=f"{path.stat().st_size / 1e6:.0f} MB")


def nvidia_gpu() -> str | None:
    """Return the name of the first NVIDIA GPU that the driver reports, without torch."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    words = [command, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if lines else None


def torch_install(wanted: str, *, again: bool = False) -> str:
    """Return the command that installs torch for the CPU, the one that this version computes on."""
    force = ["--force-reinstall"] if again else []
    index = ["--index-url", CPU_TORCH] if platform.system() == "Linux" else []
    return pip_install(*force, wanted, *index)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _at_least(found: str, oldest: str) -> bool:
    def numbers(text: str) -> list[int]:
        return [int(n) for n in re.match(r"[0-9.]*", text)[0].strip(".").split(".") if n]  # pyright: ignore[reportOptionalSubscript]

    return numbers(found) >= numbers(oldest)
