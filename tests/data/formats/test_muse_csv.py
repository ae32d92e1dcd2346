import numpy as np
import pytest

from phosphene.data.formats.muse_csv import find_gaps, read_muse_csv


@pytest.fixture
def write(tmp_path):
    def write(text, name="subject7/session2/data_1.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("marker", ["Marker0", "Marker"])
def test_reads_volts_events_and_identity(write, muse_text, marker):
    text = muse_text(marker=marker)
    recording = read_muse_csv(write(text))
    first_row = [float(v) for v in text.splitlines()[1].split(",")]
    np.testing.assert_allclose(recording.signal[:, 0], np.array(first_row[1:5]) * 1e-6, rtol=1e-6)
    assert recording.signal.dtype == np.float32
    assert recording.signal.shape == (4, 1024)
    assert recording.ch_names == ("TP9", "AF7", "AF8", "TP10")
    assert recording.sfreq == 256
    assert recording.sfreq_measured == pytest.approx(256, abs=0.1)
    assert recording.events["sample"].tolist() == list(range(64, 1024, 128))
    assert recording.events["code"].tolist() == ["1", "2"] * 4
    assert (recording.subject, recording.session) == ("subject7", "session2")
    assert recording.recording == "subject7_session2_data_1"
    assert recording.source == "data_1.csv"
    assert recording.montage == "standard_1020"
    assert recording.n_gaps == 0


@pytest.mark.parametrize(
    "codes",
    [("1000001", "1000002"), ("9007199254740993", "9007199254740992"), ("0.5", "1234567.5")],
)
def test_codes_stand_in_full(write, muse_text, codes):
    lines = muse_text().splitlines()
    for i, line in enumerate(lines[1:], start=1):
        row, marker = line.rsplit(",", 1)
        lines[i] = f"{row},{codes[int(marker) - 1] if marker != '0' else 0}"
    assert read_muse_csv(write("\n".join(lines))).events["code"].tolist() == [*codes] * 4


def test_a_folder_of_all_subjects_is_no_subject(write, muse_text):
    assert read_muse_csv(write(muse_text(), "subjects/P01/a.csv")).subject == "unknown"
    recording = read_muse_csv(write(muse_text(), "subjects/sub-01/ses-b/a.csv"))
    assert (recording.subject, recording.session) == ("sub-01", "ses-b")


def test_options_name_subject_channels_and_stimuli(write, muse_text):
    text = muse_text(extra={"picture": ["NA"] * 1024})
    recording = read_muse_csv(
        write(text, "x.csv.csv"),
        subject="001",
        session="a",
        drop_channels=["AF8"],
        keep_aux=True,
        stimulus_column="picture",
    )
    assert recording.ch_names == ("TP9", "AF7", "TP10", "Right AUX")
    assert recording.recording == "001_a_x"
    assert recording.events["stimulus"].tolist() == ["NA"] * 8


def test_reads_the_first_muse_at_220_hz_and_windows_line_ends(write, muse_text):
    lines = muse_text().splitlines()
    slow = [f"{i / 220:.4f},{line.split(',', 1)[1]}" for i, line in enumerate(lines[1:])]
    recording = read_muse_csv(write("\ufeff" + "\r\n".join([lines[0], *slow]) + "\r\n"))
    assert recording.sfreq == 220


def test_finds_lost_packets_and_passes_over_late_ones():
    times = np.arange(3000) / 256
    rng = np.random.default_rng(0)
    times += np.repeat(rng.uniform(0, 0.018, 250), 12)  # packets of 12 samples, delayed
    assert find_gaps(times, 256.0) == ()
    times[1200:1212] += 0.04  # one very late packet, then on time again
    assert find_gaps(times, 256.0) == ()
    times[1500:] += 4 * 12 / 256
    times[2400:] += 1.0
    assert find_gaps(times, 256.0) == (1500, 2400)


def test_keeps_bad_values_when_asked_to_inspect(write, muse_text):
    lines = muse_text().splitlines()
    lines[5] = lines[5].replace(lines[5].split(",")[2], "nan")
    path = write("\n".join(line if i == 0 else line[:-1] + "0" for i, line in enumerate(lines)))
    recording = read_muse_csv(path, strict=False)
    assert np.isnan(recording.signal[1, 4])
    assert len(recording.events) == 0


@pytest.fixture
def written_while_recording(muse_text):
    """The layout of `muselsl record` 2.5.3: its first chunk is saved before any marker came."""
    lines = muse_text().splitlines()
    return [line.rpartition(",")[0] for line in lines[:13]] + lines[13:]


def test_names_the_cause_where_the_header_was_written_before_the_first_marker(
    write, written_while_recording
):
    path = write("\n".join(written_while_recording))
    expected = r"6 fields .* data_1\.csv has 7 from line 14 on, .*first marker.*continuous=False"
    for strict in (True, False):
        with pytest.raises(ValueError, match=expected):
            read_muse_csv(path, strict=strict)


def test_a_header_written_before_the_first_marker_can_be_completed(write, written_while_recording):
    early = [f"{line},{0 if i else 'Marker0'}" for i, line in enumerate(written_while_recording)]
    whole = read_muse_csv(write("\n".join(early[:13] + written_while_recording[13:])))
    assert len(whole.events) == 8


def test_without_a_column_of_markers_there_are_no_events(write, muse_text):
    path = write("\n".join(line.rpartition(",")[0] for line in muse_text().splitlines()))
    with pytest.raises(ValueError, match=r"lacks Marker0 .*record with markers"):
        read_muse_csv(path)
    recording = read_muse_csv(path, strict=False)
    assert recording.signal.shape == (4, 1024)
    assert len(recording.events) == 0
    assert recording.events["code"].dtype == read_muse_csv(write(muse_text())).events["code"].dtype
    assert recording.meas_note == "no column Marker0: recorded without markers"


def edit(text, line, change):
    lines = text.splitlines()
    lines[line - 1] = change(lines[line - 1])
    return "\n".join(lines) + "\n"


def field(position, value):
    def change(line):
        fields = line.split(",")
        fields[position] = value
        return ",".join(fields)

    return change


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda t: t[: len(t) - 30], r"line 1025 of data_1.csv has \d.*cut off"),
        (lambda t: edit(t, 40, lambda line: line[:10]), r"line 40 of data_1.csv has 2;"),
        (lambda t: edit(t, 40, lambda line: line + ",5"), "line 40 of data_1.csv has 8"),
        (lambda t: edit(t, 40, lambda line: ""), "line 40 of data_1.csv has 0"),
        (lambda t: edit(t, 99, field(1, "ten")), "TP9 in line 99 of data_1.csv is 'ten'"),
        (lambda t: edit(t, 99, field(3, "nan")), r"AF8 in line 99.*nan.*--drop-channels 'AF8'"),
        (lambda t: edit(t, 99, field(2, "")), "AF7 in line 99 of data_1.csv is nan"),
        (lambda t: edit(t, 99, field(0, "inf")), "timestamps in line 99"),
        (lambda t: t.replace("TP10", "T10"), "lacks TP10"),
        (lambda t: t.replace("Marker0", "Trigger"), "lacks Marker0"),
        (lambda t: t.encode().replace(b"timestamps", b"timest\xff"), "line 1 of data_1.csv is not"),
        (lambda t: "", "0 lines"),
        (lambda t: t.splitlines()[0], "1 lines"),
    ],
)
def test_refuses_with_file_and_line(write, muse_text, spoil, match):
    path = write(spoil(muse_text()))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=match):
        read_muse_csv(path)
    assert path.read_bytes() == before


def test_refuses_tables_that_are_no_recordings(write, muse_text, monkeypatch):
    lines = muse_text().splitlines()
    with pytest.raises(ValueError, match="at most 100 columns"):
        read_muse_csv(write("a," * 1_000_000))
    with pytest.raises(ValueError, match="at most 100 columns"):
        read_muse_csv(write("a" * 1_000_000))
    with pytest.raises(ValueError, match="has AF7 twice"):
        read_muse_csv(write("\n".join([lines[0].replace("TP9", " AF7"), *lines[1:]])))
    with pytest.raises(ValueError, match=r"data_1\.csv is none \(.*string"):
        read_muse_csv(write("\n".join([*lines[:5], '"' + lines[5], *lines[6:]])))
    monkeypatch.setattr("phosphene.data.formats.muse_csv.MAX_BYTES", 1000)
    with pytest.raises(ValueError, match=r"data_1\.csv may have 1000 bytes"):
        read_muse_csv(write(muse_text()))


@pytest.mark.timeout(20)
def test_time_stamps_that_jump_everywhere_take_no_longer():
    jumps = np.random.default_rng(0).choice([0, 0.05], 300_000)
    assert find_gaps(np.arange(300_000) / 256 + jumps, 256.0)


def test_refuses_files_without_events_and_dead_channels(write, muse_text):
    lines = muse_text().splitlines()
    silent = "\n".join([lines[0], *(field(-1, "0")(line) for line in lines[1:])])
    with pytest.raises(ValueError, match=r"Marker0 of data_1.csv is 0 throughout"):
        read_muse_csv(write(silent))
    flat = "\n".join([lines[0], *(field(4, "3")(line) for line in lines[1:])])
    with pytest.raises(ValueError, match=r"TP10 of data_1.csv is constant at 3 uV"):
        read_muse_csv(write(flat))
    assert "TP10" not in read_muse_csv(write(flat), drop_channels=["TP10"]).ch_names


def test_refuses_other_rates_and_unknown_channels(write, muse_text):
    lines = muse_text().splitlines()
    slow = [field(0, f"{i / 100}")(line) for i, line in enumerate(lines[1:])]
    with pytest.raises(ValueError, match=r"say 100\.00 Hz"):
        read_muse_csv(write("\n".join([lines[0], *slow])))
    with pytest.raises(ValueError, match="Did you mean 'AF7'"):
        read_muse_csv(write(muse_text()), drop_channels=["af7"])


@pytest.mark.data
def test_reads_real_recordings_without_gaps(real_data):
    path = real_data / "muse-visual/N170/subject1/session1/data_2017-09-13-15.30.01.csv"
    recording = read_muse_csv(path)
    assert recording.signal.shape == (4, 30732)
    assert recording.events["code"].value_counts().to_dict() == {"1": 108, "2": 89}
    assert recording.n_gaps == 0  # its packets come up to 30 ms late
    assert recording.sfreq_measured == pytest.approx(256, abs=0.1)
