"""The folder that training leaves: paths, atomic writes, JSON and arrays in and out."""

import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from phosphene._checks.files import inside, parse_json, read_bytes, read_json

if TYPE_CHECKING:
    import numpy as np

MAX_LOG_BYTES = 256 << 20

VERSIONED = (
    "phosphene",
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "mne",
    "torchmetrics",
    "pillow",
    "matplotlib",
)


class RunDir:
    """A run folder; names are paths relative to it, with forward slashes.

    Its files may come from somebody else: names and links stay inside, sizes are limited.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"RunDir({str(self.path)!r})"

    @classmethod
    def create(cls, path: str | Path, *, overwrite: bool = False) -> "RunDir":
        """Make the folder, refusing one that already holds something.

        Parameters
        ----------
        path
            Where the run goes; missing parents are made.
        overwrite
            Accept a folder with files in it; nothing is deleted.
        """
        run = cls(path)
        if run.path.exists() and not run.path.is_dir():
            raise ValueError(f"a run must be a folder; {run.path} is a file. Choose another one.")
        if not overwrite and run.path.is_dir() and any(run.path.iterdir()):
            raise ValueError(
                f"a new run needs an empty folder; {run.path} holds files. "
                "Continue it with --resume, or choose another folder."
            )
        run.path.mkdir(parents=True, exist_ok=True)
        return run

    def fold(self, key: str) -> Path:
        """Return the folder of one fold, made if missing."""
        folder = self._file(f"folds/{key}")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def has(self, name: str) -> bool:
        """Say whether a file of this name was written completely."""
        return self._file(name).is_file()

    def remove_unfinished(self) -> None:
        """Delete what a write of this run that was cut off left behind."""
        for file in self.path.rglob(".*.tmp"):
            file.unlink(missing_ok=True)

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file atomically; NaN and infinity are refused."""
        text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
        with self._replacing(name) as file:
            file.write(text.encode() + b"\n")

    def read_json(self, name: str) -> Any:
        """Read a JSON file of the run."""
        return read_json(self._existing(name), remedy="was it edited by hand?")

    def write_arrays(self, name: str, arrays: Mapping[str, "np.ndarray"]) -> None:
        """Write arrays to one `.npz` atomically; arrays of Python objects are refused."""
        import numpy as np

        for key, array in arrays.items():
            if np.asarray(array).dtype.hasobject:
                raise ValueError(
                    f"arrays must hold numbers or fixed-width text; `{key}` of {name} holds "
                    'Python objects. Convert it first, text with `.astype("U")`.'
                )
        with self._replacing(name) as file:
            np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]

    def read_arrays(self, name: str) -> dict[str, "np.ndarray"]:
        """Read all arrays of an `.npz`; pickles are refused."""
        from phosphene._checks.arrays import read_npz

        return read_npz(self._existing(name))

    def write_bytes(self, name: str, write: Callable[[IO[bytes]], object]) -> None:
        """Let `write` fill a file that appears under its name only when complete."""
        with self._replacing(name) as file:
            write(file)

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one line to log.jsonl, with the time in Unix seconds."""
        line = json.dumps({"time": round(time.time(), 3), **record}, allow_nan=False)
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "log.jsonl").open("ab+") as file:
            if (size := file.tell()) and not _ends_in_newline(file):
                file.truncate(_last_line_start(file, size))  # a kill left half a line
            file.write(line.encode() + b"\n")

    def read_log(self) -> list[dict[str, Any]]:
        """Return the records of log.jsonl, without a half-written last line."""
        if not self.has("log.jsonl"):
            return []
        path = self._file("log.jsonl")
        complete = read_bytes(path, limit=MAX_LOG_BYTES).rpartition(b"\n")[0]
        records = []
        for number, line in enumerate(complete.splitlines(), start=1):
            try:
                record = parse_json(line.decode("utf-8")) if line else None
                if line and not isinstance(record, dict):
                    raise ValueError("no object")
            except ValueError as error:
                raise ValueError(
                    f"every line of {path} must be a JSON object; line {number} is none ({error}); "
                    "was it edited by hand?"
                ) from None
            records += [record] if line else []
        return records

    def write_environment(self, *, data_hash: str, seed: int) -> None:
        """Write environment.json: what it takes to tell two runs apart."""
        self.write_json(
            "environment.json",
            {
                "data_hash": data_hash,
                "seed": seed,
                "versions": {name: _version(name) for name in VERSIONED},
                "commit": source_commit(),
                "python": platform.python_version(),
                "platform": f"{platform.system()} {platform.machine()}",
                "n_cpus": os.cpu_count(),
            },
        )

    def _file(self, name: str) -> Path:
        return inside(self.path, name)

    def _existing(self, name: str) -> Path:
        path = self._file(name)
        if not path.is_file():
            remedy = (
                f"Is {self.path} the folder that `phosphene train --out` named?"
                if self.path.is_dir()
                else "There is no such folder."
            )
            raise FileNotFoundError(f"the run folder must hold {name}; {path} is missing. {remedy}")
        return path

    @contextmanager
    def _replacing(self, name: str) -> Iterator[IO[bytes]]:
        target = self._file(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=".tmp"
        )
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _ends_in_newline(file: IO[bytes]) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _last_line_start(file: IO[bytes], size: int) -> int:
    file.seek(0)
    return file.read(size).rfind(b"\n") + 1


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def source_commit(root: Path | None = None) -> str | None:
    """Return the commit of this source checkout, with "+changes" where files differ from it."""
    root = Path(__file__).resolve().parents[2] if root is None else root
    if not (root / ".git").exists() or not (root / "src" / "phosphene").is_dir():
        return None  # an installed package, perhaps inside somebody else's repository

    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None
