"""Tables of a data set folder: CSV whose columns and dtypes are known beforehand."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from phosphene._checks.files import read_text, shown

MAX_BYTES = 64 << 20

_AGAIN = "import it again."


def write_table(path: Path, table: pd.DataFrame, dtypes: Mapping[str, str]) -> dict[str, str]:
    """Write the known columns as CSV and return their dtypes.

    Raises
    ------
    ValueError
        For text that UTF-8 cannot hold.
    """
    columns = {name: dtype for name, dtype in dtypes.items() if name in table.columns}
    typed = table[list(columns)].astype(columns)
    words = {name: typed[name].tolist() for name, dtype in columns.items() if dtype == "str"}
    for name, texts in words.items():
        try:
            "".join(map(str, texts)).encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"text must be UTF-8; {name} in {path.name} holds {error.object[error.start]!a}; "
                "correct the name that it comes from."
            ) from None
    # csv of Python before 3.13 does not quote a carriage return, which ends a line when it is read
    returns = any("\r" in str(text) for texts in words.values() for text in texts)
    quoting = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    typed.to_csv(path, index=False, lineterminator="\n", quoting=quoting)
    return columns


def read_table(
    path: Path, columns: Mapping[str, str] | None, *, known: Mapping[str, str]
) -> pd.DataFrame:
    """Read a table that is not trusted.

    Parameters
    ----------
    path
        The CSV file.
    columns
        Name and dtype of each column, as another file of the folder says.
    known
        The columns that there may be, and their dtypes.

    Raises
    ------
    ValueError
        For more than 64 MiB, other columns, lines of another length, or values that are none of
        their column's dtype.
    """
    if not columns or any(known.get(column) != dtype for column, dtype in columns.items()):
        raise ValueError(
            f"the columns of {path} must be among {', '.join(known)}; the data set says "
            f"{shown(columns)}; {_AGAIN}"
        )
    text = read_text(path, limit=MAX_BYTES)
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError) as error:
        raise ValueError(f"a table must be CSV; {path} is not ({error}); {_AGAIN}") from None
    if header != list(columns) or any(len(row) != len(header) for row in rows):
        raise ValueError(
            f"every line must have the columns {', '.join(columns)}; {path} has others; {_AGAIN}"
        )
    # all is text first: "001" is no number, and "NA" is not missing
    table = pd.DataFrame(rows, columns=pd.Index(header), dtype="str")
    for column, dtype in columns.items():
        if dtype != "str":
            table[column] = _parse(table[column].tolist(), dtype, f"{column} of {path}")
    return table


def _parse(words: Sequence[str], dtype: str, where: str) -> np.ndarray:
    """Turn text into numbers as exactly as Python does; what is none is refused."""
    kind = {"bool": {"True": True, "False": False}.__getitem__, "int64": int, "float64": float}
    try:
        values = np.array([kind[dtype](word) for word in words], dtype=dtype)
    except (ValueError, KeyError, OverflowError):
        raise ValueError(f"{where} must hold {dtype} alone; it does not; {_AGAIN}") from None
    if dtype == "float64" and not np.isfinite(values).all():
        raise ValueError(f"{where} must be finite; it is not; {_AGAIN}")
    return values
