"""The chunks of an XDF file, checked one by one before its samples are loaded."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

MAGIC = b"XDF:"
MAX_CHANNELS = 4096
MAX_XML_BYTES = 16 << 20
SAMPLE_BYTES = {"float32": 4, "double64": 8, "int8": 1, "int16": 2, "int32": 4, "int64": 8}
"""Bytes of a value by format; a 'string' has any number."""
_STREAM_HEADER, _SAMPLES = 2, 3
_OF_A_STREAM = (2, 3, 4, 6)


@dataclass(frozen=True)
class XdfStream:
    """What the header of a stream announces."""

    stream: int
    name: str
    type: str
    n_channels: int
    format: str
    sfreq: float
    """Nominal rate in Hz; 0 for a stream without one, such as markers."""
    n_samples: int
    channels: tuple[dict[str, str], ...]
    """Per channel what the header says of it: ``label``, ``unit``, ``type``; empty where it says
    nothing.
    """


def read_xdf_streams(path: Path) -> list[XdfStream]:
    """Walk through all chunks, and return the streams.

    Raises
    ------
    ValueError
        For a file that is cut off or whose chunks do not fit it, more samples announced than a
        chunk can hold, and headers that are no plain XML.

    References
    ----------
    https://github.com/sccn/xdf/wiki/Specifications
    """
    size = path.stat().st_size
    headers: dict[int, ElementTree.Element] = {}
    n_samples: dict[int, int] = {}
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ValueError(
                f"an XDF file begins with {MAGIC.decode()}; {path.name} does not; it is another "
                f"file or damaged."
            )
        try:
            while file.tell() < size:
                length = _read_length(file)
                end = file.tell() + length
                if length < 2 or end > size:
                    raise EOFError
                (tag,) = struct.unpack("<H", file.read(2))
                if tag in _OF_A_STREAM:
                    (stream,) = struct.unpack("<I", file.read(4))
                    if tag == _STREAM_HEADER:
                        headers[stream] = _parse(file.read(end - file.tell()), path.name)
                    elif tag == _SAMPLES:
                        count = _count(file, headers[stream], end)
                        n_samples[stream] = n_samples.get(stream, 0) + count
                file.seek(end)
        except (EOFError, struct.error, KeyError):
            raise ValueError(
                f"an XDF file is a row of whole chunks; {path.name} is cut off or damaged at byte "
                f"{file.tell()} of {size}; copy it again."
            ) from None
    return [
        _describe(stream, header, n_samples.get(stream, 0), path.name)
        for stream, header in headers.items()
    ]


def _describe(stream: int, header: ElementTree.Element, n_samples: int, name: str) -> XdfStream:
    channels = tuple(
        {field.tag: (field.text or "").strip() for field in channel}
        for channel in header.findall("desc/channels/channel")
    )
    n_channels, text = _layout(header)
    if channels and len(channels) != n_channels:
        raise ValueError(
            f"a stream describes each of its channels; '{_text(header, 'name')}' of {name} has "
            f"{n_channels} and describes {len(channels)}; record it again."
        )
    return XdfStream(
        stream=stream,
        name=_text(header, "name"),
        type=_text(header, "type"),
        n_channels=n_channels,
        format=text,
        sfreq=float(_text(header, "nominal_srate") or 0),
        n_samples=n_samples,
        channels=channels or ({},) * n_channels,
    )


def _parse(content: bytes, name: str) -> ElementTree.Element:
    if len(content) > MAX_XML_BYTES or re.search(rb"<!(DOCTYPE|ENTITY)", content, re.IGNORECASE):
        raise ValueError(
            f"a stream's header is plain XML of at most {MAX_XML_BYTES} bytes; one of {name} is "
            f"not; record it again."
        )
    try:
        header = ElementTree.fromstring(content.decode("utf-8"))
        n_channels, text = _layout(header)
        if not 0 < n_channels <= MAX_CHANNELS or text not in (*SAMPLE_BYTES, "string"):
            raise ValueError(f"{n_channels} channels of {text!r}")
        if not 0 <= float(_text(header, "nominal_srate") or 0) < float("inf"):
            raise ValueError("a negative rate")
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(
            f"a stream's header is XML with channel_count (at most {MAX_CHANNELS}), channel_format "
            f"and nominal_srate; one of {name} is not ({str(error)[:100]}); record it again."
        ) from None
    return header


def _layout(header: ElementTree.Element) -> tuple[int, str]:
    return int(_text(header, "channel_count")), _text(header, "channel_format")


def _text(header: ElementTree.Element, tag: str) -> str:
    return (header.findtext(tag) or "").strip()


def _read_length(file: IO[bytes]) -> int:
    """Read an integer that is preceded by its width in bytes."""
    forms = {1: "<B", 4: "<I", 8: "<Q"}
    width = file.read(1)
    if not width or width[0] not in forms:
        raise EOFError
    return int(struct.unpack(forms[width[0]], file.read(width[0]))[0])


def _count(file: IO[bytes], header: ElementTree.Element, end: int) -> int:
    """Return how many samples a chunk has, refusing more than fit into it."""
    n_samples = _read_length(file)
    n_channels, text = _layout(header)
    least = 1 + n_channels * SAMPLE_BYTES.get(text, 2)  # a string is at least its length
    if n_samples * least > end - file.tell():
        raise EOFError
    return n_samples
