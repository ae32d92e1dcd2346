"""Seeds: one number per purpose, and a scope in which torch's own draws follow a seed."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(seed: int, *purpose: str | int) -> int:
    """Return a seed for one purpose, unrelated to those for others, the same on every machine."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def seeded_generator(seed: int, *purpose: str | int) -> torch.Generator:
    """Return a CPU generator for one purpose."""
    return torch.Generator().manual_seed(derive_seed(seed, *purpose))


@contextmanager
def seeded(seed: int, *, device: torch.device | str = "cpu") -> Iterator[None]:
    """Let torch's global draws follow a seed inside the scope, and leave them as found after it.

    Layers draw start values and dropout masks from the global state and take no generator.
    """
    device = torch.device(device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def draw_seed(rng: torch.Generator) -> int:
    """Draw a seed for `seeded` from a generator."""
    return int(torch.randint(2**62, (1,), generator=rng, device=rng.device))
