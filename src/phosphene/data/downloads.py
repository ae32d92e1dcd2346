"""Files that others publish: fetched once, kept in the cache, used only if their hash is right."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from phosphene._checks import check_option
from phosphene._checks.files import open_regular
from phosphene.data.simulate.head_model import cache_folder


@dataclass(frozen=True, kw_only=True)
class Download:
    """A published file."""

    url: str
    sha256: str
    max_bytes: int
    """More than the file has: what is larger is refused before it is read."""
    about: str
    """What it is and whose."""

    @property
    def file_name(self) -> str:
        """Name of the file in the cache: the publisher's."""
        return self.url.rpartition("/")[2]


DOWNLOADS: Mapping[str, Download] = {
    "inception-2015": Download(
        url=(
            "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
            "pt_inception-2015-12-05-6726825d.pth"
        ),
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        max_bytes=100_000_000,
        about="weights of Inception-v3 (2015-12-05) from the authors of pytorch-fid, Apache-2.0",
    )
}


def cached_file(name: str) -> Path:
    """Return where a download lies, or would lie, in the cache."""
    check_option("name", name, DOWNLOADS)
    return cache_folder() / "downloads" / DOWNLOADS[name].file_name


def read_verified(name: str, path: Path | None = None) -> bytes:
    """Return the content of a download if its SHA-256 is the published one.

    What was verified is what is returned: nobody can exchange the file in between.

    Parameters
    ----------
    name
        Key of `DOWNLOADS`.
    path
        The file; the one in the cache if None.

    Raises
    ------
    ValueError
        If the file is missing, no regular file, or not the published one.
    """
    target = cached_file(name)
    path, known = path or target, DOWNLOADS[name]
    if not path.exists():
        raise ValueError(f"`{name}` must be a file; there is none at {path}. {_remedy(name)}")
    with open_regular(path) as file:
        content = file.read(known.max_bytes + 1)
    if len(content) > known.max_bytes:
        raise ValueError(
            f"`{name}` has less than {known.max_bytes} bytes; {path} has more. Do not use it: "
            f"remove it. {_remedy(name)}"
        )
    found = hashlib.sha256(content).hexdigest()
    if found != known.sha256:
        raise ValueError(
            f"`{name}` must have the SHA-256 {known.sha256}; {path} has {found}. Do not use it: "
            f"remove it. {_remedy(name)}"
        )
    return content


def fetch(name: str, *, source: Path | None = None, progress: bool = False) -> Path:
    """Put a download into the cache, unless it is there, and return its path.

    Parameters
    ----------
    name
        Key of `DOWNLOADS`.
    source
        A copy that was fetched by other means, for machines without internet; it is verified alike.
    progress
        Draw a bar on standard error.

    Raises
    ------
    ValueError
        If the file cannot be had, or is not the published one.
    """
    target, known = cached_file(name), DOWNLOADS[name]
    if source is not None:
        _write(target, read_verified(name, source))
    elif target.exists():
        read_verified(name)
    else:
        import pooch
        import requests

        try:
            pooch.retrieve(
                known.url,
                f"sha256:{known.sha256}",
                fname=target.name,
                path=target.parent,
                downloader=pooch.HTTPDownloader(progressbar=progress, timeout=30),
            )
        except requests.RequestException as error:
            raise ValueError(
                f"`{name}` must be fetched from {known.url}; the attempt ended in a "
                f"{type(error).__name__}. Connect to the internet and try again, or get that file "
                f"elsewhere and call `phosphene data fetch {name} --source FILE`."
            ) from None
        except ValueError:  # pooch has removed what it got
            raise ValueError(
                f"`{name}` must have the SHA-256 {known.sha256}; what {known.url} sent has "
                f"another. Call the command again, or use a copy of the file with --source FILE."
            ) from None
    return target


def _remedy(name: str) -> str:
    return (
        f"Call `phosphene data fetch {name}`, or without internet get {DOWNLOADS[name].url} "
        f"elsewhere and call `phosphene data fetch {name} --source FILE`."
    )


def _write(target: Path, content: bytes) -> None:
    """Write a file that appears under its name only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
