"""How many threads of arithmetic the processes have that are started for work side by side."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that libraries read when a process starts."""


@contextmanager
def thread_settings(n_threads: int) -> Iterator[None]:
    """Let processes that start now have so many threads."""
    before = {name: os.environ.get(name) for name in THREAD_SETTINGS}
    os.environ.update({name: str(n_threads) for name in THREAD_SETTINGS})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
