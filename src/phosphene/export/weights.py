"""Weights as safetensors, read from a file that is not trusted."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from phosphene._checks.files import inside, open_regular

MAX_BYTES = 4 << 30
MAX_HEADER_BYTES = 1 << 20
DTYPES = ("F32", "F64", "I64")


def save_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write named tensors."""
    save_file(dict(tensors), path)


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor in a file, from its header alone.

    Raises
    ------
    ValueError
        When the file is missing, too large, no safetensors file, cut off, or holds other types
        than `DTYPES`.
    """
    path = inside(path.parent, path.name)
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise ValueError(
            f"a bundle needs weights.safetensors of at most 4 GiB; {path} is none. Copy it again."
        )
    with open_regular(path) as file:
        header_bytes = int.from_bytes(file.read(8), "little")
    if header_bytes > MAX_HEADER_BYTES:
        raise ValueError(
            f"weights must be a whole safetensors file; {path} announces a header of "
            f"{header_bytes} bytes. Copy it again."
        )
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            dtypes = {value.get_dtype() for value in slices.values()}
            shapes = {name: tuple(value.get_shape()) for name, value in slices.items()}
    except (SafetensorError, ValueError, OSError) as error:
        raise _not_whole(path, error) from None
    if not dtypes <= set(DTYPES):
        raise ValueError(
            f"weights must be of the types {', '.join(DTYPES)}; {path} holds "
            f"{', '.join(sorted(map(str, dtypes - set(DTYPES))))}. Export the run again."
        )
    return shapes


def load_weights(
    path: Path, found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Read tensors if their names and shapes are exactly the expected ones, and finite.

    Parameters
    ----------
    path
        The file.
    found
        What `read_shapes` says of it.
    expected
        Shape of each tensor that there must be.

    Raises
    ------
    ValueError
        For missing or unexpected names, other shapes, NaN and infinity.
    """
    remedy = "Export the run again."
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise ValueError(f"weights must hold `{name}`; {path} lacks it. {remedy}")
        if name not in expected:
            raise ValueError(
                f"weights must hold what spec.json implies and nothing else; {path} holds "
                f"{name[:100]!r} too. {remedy}"
            )
        if found[name] != expected[name]:
            raise ValueError(
                f"`{name}` must have the shape {expected[name]} that spec.json implies; {path} has "
                f"{found[name]}. {remedy}"
            )
    try:
        weights = load_file(path)
    except (SafetensorError, ValueError, OSError) as error:
        raise _not_whole(path, error) from None
    for name, value in weights.items():
        if not value.isfinite().all():
            raise ValueError(f"weights must be finite; `{name}` in {path} is not. {remedy}")
    return weights


def _not_whole(path: Path, error: Exception) -> ValueError:
    return ValueError(
        f"weights must be a whole safetensors file; {path} is not ({error}). Copy it again."
    )
