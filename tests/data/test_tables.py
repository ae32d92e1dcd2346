import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phosphene.data.tables import read_table, write_table

KNOWN = {"name": "str", "n": "int64", "onset": "float64", "shown": "bool"}
TABLE = pd.DataFrame(
    {"name": ["001", 'NA,"\n'], "n": [1, -2], "onset": [0.1, 1e-300], "shown": [True, False]}
).astype(KNOWN)


def test_comes_back_as_it_went(tmp_path):
    columns = write_table(tmp_path / "a.csv", TABLE.assign(other=1), KNOWN)
    assert columns == KNOWN
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.csv", columns, known=KNOWN), TABLE)


@given(st.lists(st.text(), max_size=4))
@example(["1\r2", "\r", "a\r\nb", "\x00", "\ufeff", " 1 ", '"', "\x85\u2028"])
def test_any_text_comes_back(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    numbers = {"n": range(len(texts)), "onset": 0.1, "shown": True}
    table = pd.DataFrame({"name": texts, **numbers}).astype(KNOWN)
    columns = write_table(path, table, KNOWN)
    pd.testing.assert_frame_equal(read_table(path, columns, known=KNOWN), table)


def test_refuses_to_write_what_is_no_text(tmp_path):
    table = TABLE.assign(name=["a", "b\udcff"])
    with pytest.raises(ValueError, match=r"name in a\.csv holds '\\udcff'"):
        write_table(tmp_path / "a.csv", table, KNOWN)
    assert not (tmp_path / "a.csv").exists()


def test_an_empty_table_keeps_its_dtypes(tmp_path):
    columns = write_table(tmp_path / "a.csv", TABLE[:0], KNOWN)
    found = read_table(tmp_path / "a.csv", columns, known=KNOWN)
    assert found.dtypes.to_dict() == TABLE.dtypes.to_dict()
    assert len(found) == 0


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "must be CSV"),
        (b"name,n,onset\na,1,2\n", "columns name, n, onset, shown"),
        (b"name,n,onset,shown\na,1,2\n", "every line"),
        (b"name,n,onset,shown\n\na,1,2,True\n", "every line"),
        (b"name,n,onset,shown\na,1,2,True,3\n", "every line"),
        (b'name,n,onset,shown\n"a,1,2,True\n', "must be CSV"),
        (b"name,n,onset,shown\n" + b"a" * 200_000 + b",1,2,True\n", "must be CSV"),
        (b"name,n,onset,shown\na,1.5,2,True\n", "n of .* must hold int64"),
        (b"name,n,onset,shown\na,99999999999999999999,2,True\n", "n of .* must hold int64"),
        (b"name,n,onset,shown\na,1,two,True\n", "onset of .* must hold float64"),
        (b"name,n,onset,shown\na,1,nan,True\n", "onset of .* must be finite"),
        (b"name,n,onset,shown\na,1,2,true\n", "shown of .* must hold bool"),
        (b"name,n,onset,shown\n\xff,1,2,True\n", "must be UTF-8"),
    ],
)
def test_refuses_what_is_not_such_a_table(tmp_path, content, match):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=match) as error:
        read_table(tmp_path / "a.csv", KNOWN, known=KNOWN)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("columns", [None, {}, {"name": "object"}, {"other": "str"}])
def test_refuses_columns_that_are_not_known(tmp_path, columns):
    with pytest.raises(ValueError, match="must be among name, n, onset, shown"):
        read_table(tmp_path / "a.csv", columns, known=KNOWN)
