"""Files that `torch.save` wrote, by somebody who is not trusted."""

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from phosphene._checks.files import check_amount, open_regular, shown

MAX_BYTES = 8 << 30
"""Largest file that is read, unless the caller says otherwise."""


def read_torch(path: Path, *, max_bytes: int = MAX_BYTES) -> Any:
    """Read tensors and plain containers from a regular file; no code in it is run.

    Parameters
    ----------
    path
        The file, in torch's present format or the one before 1.6.
    max_bytes
        Largest file to read.

    Raises
    ------
    ValueError
        For a file that is too large, damaged, or holds anything else.
    """
    import torch

    if not path.exists():
        raise ValueError(f"a .pth file is a file; there is none at {path}; correct the path.")
    with open_regular(path) as file:
        size = file.seek(0, 2)
        check_amount(str(path), size, max_bytes)
        file.seek(0)
        try:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    unpacked = sum(member.file_size for member in archive.infolist())
                if unpacked > size:
                    raise ValueError("it unpacks to more than its size")
            file.seek(0)
            return torch.load(file, weights_only=True, map_location="cpu")
        except Exception as error:  # torch lets through whatever its unpickler meets
            said = " ".join(str(error).split())[:100] or type(error).__name__
            raise ValueError(
                f"a .pth file may hold tensors and plain containers alone; {path.name} does not "
                f"({said}); nothing in it was run: get the file again."
            ) from None


def require_lists(content: Any, keys: Iterable[str], path: Path) -> None:
    """Refuse what is no dict with these lists."""
    for key in keys:
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            found = list(content) if isinstance(content, dict) else type(content).__name__
            raise ValueError(
                f"an EEG-ImageNet40 file is a dict with a list {key!r}; {path.name} holds "
                f"{shown(found)}; name a file of segments, and a split file after --split-file."
            )


def whole_number(value: Any) -> int | None:
    """Return a Python integer, or that of a tensor with one whole number; None for all else."""
    import torch

    if isinstance(value, torch.Tensor) and value.numel() == 1 and value.device.type == "cpu":
        if value.is_floating_point() or value.is_complex() or value.layout != torch.strided:
            return None
        value = value.item()
    return value if isinstance(value, int) and not isinstance(value, bool) else None
