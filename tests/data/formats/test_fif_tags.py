import gzip
import struct

import numpy as np
import pytest

from phosphene.data.formats.fif_tags import find_next_parts

START, END, ROLE, NUMBER, NAME = 104, 105, 115, 117, 118
INT, TEXT, ENTRIES = 3, 10, 32


def tag(kind, data=bytes(4), *, form=INT, length=None, following=0):
    length = len(data) if length is None else length
    return struct.pack(">4i", kind, form, length, following) + data


def number(kind, value):
    return tag(kind, struct.pack(">i", value))


def name(text):
    return tag(NAME, text.encode("latin1"), form=TEXT)


HEAD = tag(100, bytes(20), form=31) + number(101, -1)
STOP = tag(108, b"", following=-1)


@pytest.fixture(params=["a.fif", "a.fif.gz"])
def find(request, tmp_path):
    """Write a file and return the names of its next parts."""

    def find(*tags):
        content, path = b"".join(tags), tmp_path / request.param
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return [part.name for part in find_next_parts(path, size=len(content))]

    return find


def test_the_next_part_is_named_by_a_reference_that_is_not_said_to_be_another(find):
    before = [number(START, 118), number(ROLE, 1), name("before.fif"), number(END, 118)]
    after = [number(START, 118), number(ROLE, 2), name("after.fif"), number(END, 118)]
    assert find(HEAD, *before, STOP) == []
    assert find(HEAD, *before, *after, STOP) == ["after.fif"]
    assert find(HEAD, number(START, 118), name("x.fif"), STOP) == ["x.fif"]
    hidden = [number(START, 118), number(START, 9), number(ROLE, 1), number(END, 9)]
    assert find(HEAD, *hidden, name("x.fif"), STOP) == ["x.fif"]  # a role of another block


def test_names_as_mne_reads_them(find):
    assert find(name("a&#000046;fif")) == ["a.fif"]
    with pytest.raises(ValueError, match="with at most 4096 letters or a number"):
        find(name("x" * 4097))
    with pytest.raises(ValueError, match="with at most 4096 letters or a number"):
        find(tag(NUMBER, bytes(2)))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [("a-1.fif", 2, "a-2.fif"), ("a.b-3.fif", 1, "a-1.b-3.fif"), ("a-x.fif", 1, "a-x-1.fif")],
)
def test_numbers_count_the_parts_up(tmp_path, path, value, expected):
    (tmp_path / path).write_bytes(number(NUMBER, value))
    (part,) = find_next_parts(tmp_path / path, size=20)
    assert part == tmp_path / expected


@pytest.mark.parametrize(
    ("length", "following"), [(-1, 0), (1 << 30, 0), (4, 16), (4, 1), (4, 25), (4, 39)]
)
def test_refuses_tags_that_lead_out_or_back_or_into_themselves(find, length, following):
    find(tag(9), tag(9, following=60), bytes(20), tag(9, following=-1), tag(9, length=9))
    with pytest.raises(ValueError, match="leads out of it or back"):
        find(tag(9), tag(9, length=length, following=following), tag(9))


def test_refuses_endless_tags(find, monkeypatch):
    monkeypatch.setattr("phosphene.data.formats.fif_tags.MAX_TAGS", 50)
    find(*[tag(9)] * 50)
    with pytest.raises(ValueError, match=r"may have 50 tags; it has 51"):
        find(*[tag(9)] * 51)


def directory(tags, *entries, form=ENTRIES):
    """Return a file with tags and a list of some: kinds and positions."""
    head = tag(100, bytes(20), form=31)
    start = len(head) + 20
    content = b"".join(tags)
    listed = np.array([(kind, INT, 4, at + start) for kind, at in entries], ">i4").tobytes()
    where = number(101, start + len(content))
    return head + where + content + tag(102, listed, form=form, following=-1)


def test_a_directory_may_name_parts_as_well(find):
    inner = tag(9, name("hidden.fif"))
    assert find(directory([inner], (NAME, 16))) == ["hidden.fif"]
    assert find(directory([inner], (9, 0))) == []
    assert find(directory([inner], (9, 0), (-1, 0))) == []
    assert find(directory([inner], (NAME, 16), form=INT)) == []  # nothing that MNE reads
    roles = [number(ROLE, 1), name("b.fif")]  # in the list's order, not in the file's
    assert find(directory(roles, (ROLE, 0), (NAME, 20))) == []
    assert find(directory([tag(9, b"".join(roles))], (NAME, 36), (ROLE, 16))) == ["b.fif"]


@pytest.mark.parametrize("entries", [[(9, 1 << 20)], [(9, -999)], [(9, 0), (9, 0)]])
def test_refuses_a_directory_that_leads_out_or_to_one_tag_again(find, entries):
    with pytest.raises(ValueError, match="leads out of it or back"):
        find(directory([tag(9)], *entries))


def test_refuses_a_directory_of_tags_inside_one_another(find):
    nested = tag(9, tag(9, tag(9, bytes(400))))
    find(directory([nested], (9, 0)))
    with pytest.raises(ValueError, match="leads out of it or back"):
        find(directory([nested], (9, 0), (9, 16), (9, 32)))
