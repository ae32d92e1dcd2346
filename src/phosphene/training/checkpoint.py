"""Checkpoints: everything a step needs to go on as if it had never stopped."""

import hashlib
import logging
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import torch

from phosphene._checks.files import open_regular, read_text
from phosphene._checks.structure import check_structure

_PATTERN = "step_*.pt"
_UNFINISHED = ".tmp"
_HASH = ".sha256"

logger = logging.getLogger(__name__)


class DamagedCheckpointError(ValueError):
    """The bytes of a checkpoint are not those that were written."""


def collect_state(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of modules, optimisers, averages and generators by name."""
    return {
        name: part.get_state() if isinstance(part, torch.Generator) else part.state_dict()
        for name, part in parts.items()
    }


def restore_state(parts: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Put back what `collect_state` returned; the names must be the same."""
    if parts.keys() != state.keys():
        raise ValueError(
            f"a checkpoint must hold the parts {sorted(parts)}; got {sorted(state)}. "
            "Resume with the settings of the interrupted run."
        )
    for name, part in parts.items():
        if isinstance(part, torch.Generator):
            part.set_state(state[name].cpu())
        else:
            part.load_state_dict(state[name])


def save_checkpoint(folder: Path, state: Mapping[str, Any], *, step: int, n_kept: int = 2) -> Path:
    """Write a checkpoint so that a crash at any moment leaves a complete one behind.

    Bytes go to a temporary file, reach the disk, and are then renamed; the SHA-256 is in place
    before, and the folder's entry reaches the disk after. All but the newest `n_kept` are deleted.

    Raises
    ------
    OSError
        If the disk is full or fails; the checkpoints from before are as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step_{step:08d}.pt"
    temporary = path.with_name(path.name + _UNFINISHED)
    try:
        with temporary.open("wb") as file:
            hashed = _HashedFile(file)
            hashed.save({"step": step, "state": dict(state)})
            file.flush()
            os.fsync(file.fileno())
        with _hash_path(path).open("w", encoding="ascii") as file:
            file.write(hashed.digest.hexdigest())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            remove_unfinished(folder)
        if not isinstance(error, OSError):
            raise
        raise OSError(
            f"a checkpoint must fit on the disk; writing {path.name} in {folder} failed: "
            f"{error.strerror or error}. Make room and resume; the checkpoints before it are kept."
        ) from error
    _flush_folder(folder)
    for old in _from_new_to_old(folder)[n_kept:]:
        old.unlink()
        _hash_path(old).unlink(missing_ok=True)
    return path


def remove_unfinished(folder: Path) -> None:
    """Delete what a write that was cut off left behind."""
    for file in folder.glob(f"*{_UNFINISHED}"):
        file.unlink(missing_ok=True)
    for file in folder.glob(f"{_PATTERN}{_HASH}"):
        if not file.with_name(file.name.removesuffix(_HASH)).exists():
            file.unlink(missing_ok=True)


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint of a folder, None if there is none."""
    return max(folder.glob(_PATTERN), default=None)


def checkpoint_step(path: Path) -> int:
    """Return the step that a checkpoint is named after; the file is not read."""
    return int(path.stem.removeprefix("step_"))


def load_newest_checkpoint(folder: Path) -> tuple[int, dict[str, Any]] | None:
    """Return step and state of the newest undamaged checkpoint, None in a folder without any.

    A damaged one, as a power cut can leave it, is set aside with a warning. Going on from the one
    before repeats some steps and ends in the same weights.

    Raises
    ------
    ValueError
        If all are damaged.
    """
    paths = _from_new_to_old(folder)
    for path in paths:
        try:
            return load_checkpoint(path)
        except DamagedCheckpointError:
            aside = path.with_name(path.name + ".damaged")
            path.replace(aside)
            _hash_path(path).unlink(missing_ok=True)
            logger.warning(
                "%s in %s differs from its recorded SHA-256. It was renamed to %s; training goes "
                "on from the checkpoint before it and ends in the same weights.",
                *(path.name, folder, aside.name),
            )
    if paths:
        raise ValueError(
            f"a training must have an undamaged checkpoint to go on from; none of the {len(paths)} "
            f"in {folder} is. Delete that folder to begin this stage again."
        )
    return None


def load_checkpoint(path: Path) -> tuple[int, dict[str, Any]]:
    """Return the step and the state of a checkpoint whose bytes are those that were written.

    Only tensors and plain containers are read, never code (`weights_only`).

    Raises
    ------
    ValueError
        If the file differs from its recorded SHA-256, or that record is missing.
    """
    hash_path = _hash_path(path)
    recorded = read_text(hash_path, limit=100).strip() if hash_path.exists() else None
    found = _sha256(path)
    if found != recorded:
        raise DamagedCheckpointError(
            f"a checkpoint must have its recorded SHA-256 {recorded}; {path.name} has {found}. "
            "Delete it to go on from the one before."
        )
    remedy = "delete it to go on from the one before."
    try:
        _check_stored(path)
        content = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # torch lets through whatever its unpickler meets
        said = " ".join(str(error).split())[:100] or type(error).__name__
        raise ValueError(
            f"a checkpoint must hold tensors and plain containers; {path} does not ({said}); "
            f"{remedy}"
        ) from None
    check_structure(content, {"step": int, "state": {str: object}}, where=str(path), remedy=remedy)
    return content["step"], content["state"]


def _check_stored(path: Path) -> None:
    """Refuse a file that would unpack to more than its own size: torch does not compress."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise ValueError("it unpacks to more than its size")


class _HashedFile:
    """A file being written, with the SHA-256 of what was meant to go there."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()
        self.error: OSError | None = None

    def write(self, content: bytes | memoryview) -> int:
        """Write bytes; called by torch."""
        self.digest.update(content)
        try:
            return self.file.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Pass on what is buffered; called by torch."""
        self.file.flush()

    def save(self, content: Any) -> None:
        """Write an object as torch does."""
        try:
            torch.save(content, self)  # pyright: ignore[reportArgumentType]
        except RuntimeError:
            if self.error is not None:  # torch hides it behind "unexpected pos"
                raise self.error from None
            raise


def _from_new_to_old(folder: Path) -> list[Path]:
    return sorted(folder.glob(_PATTERN), reverse=True)


def _flush_folder(folder: Path) -> None:
    """Bring the folder's list of names to the disk, where the system can."""
    if hasattr(os, "O_DIRECTORY"):  # not on Windows
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _hash_path(path: Path) -> Path:
    return path.with_name(path.name + _HASH)


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
