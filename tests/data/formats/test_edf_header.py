import edfio
import numpy as np
import pytest

from phosphene.data.formats.edf_header import read_edf_header


@pytest.fixture
def edf(tmp_path):
    """An EDF file of 10 records of 1 s with two channels; 100 and 50 Hz."""
    signals = [
        edfio.EdfSignal(np.arange(10 * n) % 99.0, n, label=label, physical_dimension="uV")
        for n, label in ((100, "Fp1"), (50, "Cz"))
    ]
    path = tmp_path / "a.edf"
    edfio.Edf(signals, annotations=[edfio.EdfAnnotation(1, None, "x")]).write(path)
    return path


def patch(path, start, text):
    content = bytearray(path.read_bytes())
    content[start : start + len(text)] = text
    path.write_bytes(content)


def test_reads_what_is_announced(edf):
    header = read_edf_header(edf)
    assert header.labels == ("Fp1", "Cz")
    assert header.units == ("uV", "uV")
    assert header.samples_per_record == (100, 50)
    assert (header.n_records, header.record_s, header.note) == (10, 1.0, "")
    assert header.has_range == (True, True)


def test_an_unfinished_header_is_noted(edf):
    patch(edf, 236, b"-1      ")
    header = read_edf_header(edf)
    assert header.n_records == 10
    assert "follows from the file's size" in header.note


@pytest.mark.parametrize(
    ("start", "text", "says"),
    [
        (252, b"9999", "1 to 4096 signals"),
        (252, b"0   ", "1 to 4096 signals"),
        (252, b"4000", "the header of 4000 signals"),
        (184, b"99999999", "announces 99999999"),
        (236, b"99999999", "cut off"),
        (236, b"2       ", "announces 2 records"),
        (236, b"1e9     ", "announces 1000000000"),
        (236, b"nan     ", "whole numbers"),
        (244, b"0       ", "longer than 0 s"),
        (244, b"\xff\xfe      ", "is text"),
        (256 + 3 * 216, b"0       ", "'Fp1' of a.edf has 0"),
        (256 + 3 * 216, b"1.5     ", "whole numbers"),
        (256 + 3 * 104, b"high    ", "the range of a.edf is 'high'"),
    ],
)
def test_refuses_headers_that_do_not_fit_the_file(edf, start, text, says):
    patch(edf, start, text)
    with pytest.raises(ValueError, match=says):
        read_edf_header(edf)


def test_refuses_cut_and_interrupted_files(edf):
    content = edf.read_bytes()
    patch(edf, 192, b"EDF+D")
    assert read_edf_header(edf).n_records == 10  # interrupted by name only
    at = content.index(b"+5\x14")
    patch(edf, at, b"+7\x14")
    with pytest.raises(ValueError, match="interrupted 2 times, first after record 5"):
        read_edf_header(edf)
    for n in (0, 100, 300, len(content) - 1):
        edf.write_bytes(content[:n])
        with pytest.raises(ValueError, match=r"a\.edf"):
            read_edf_header(edf)
