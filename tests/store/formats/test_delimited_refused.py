from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from store.errors import UnknownFormat, UnreadableFile
from store.formats.reading import CELL_BYTES
from tests.store.formats import read

BAD: dict[str, tuple[str | bytes, str]] = {
    # what it is: (the file, what its detail says)
    "empty": ("", "'table.csv' is empty"),
    "one blank line": ("\n", "blank lines alone"),
    "blank lines": ("\n\r\n\n", "blank lines alone"),
    "a mark alone": ("\ufeff", "blank lines alone"),
    "a UTF-16 mark alone": (b"\xff\xfe", "blank lines alone"),
    "spaces alone": ("   ", "blank lines alone"),
    "a header alone": ("a,b\n", "the file holds a header and no rows"),
    "a header with no newline": ("a,b", "a header and no rows"),
    "a header and blank lines": ("a,b\n\n\n", "a header and no rows"),
    "a short row": ("a,b,c\n1,2,3\n4,5\n", "line 3 has 2 cells where the first line has 3"),
    "a short row at the end": ("a,b,c\n1,2,3\n4,5,6\n7", "line 4 has 1 cells where the first line has 3"),
    "a short row, CRLF": ("a,b,c\r\n1,2,3\r\n4,5\r\n", "line 3 has 2 cells"),
    "a short row, CR": ("a,b,c\r1,2,3\r4,5\r", "line 3 has 2 cells"),
    "a short row after a blank line": ("a,b,c\n1,2,3\n\n4,5\n", "line 4 has 2 cells"),
    "a short row after a leading blank line": ("\na,b,c\n1,2\n", "line 3 has 2 cells"),
    "a short row after a newline in quotes": ('a,b,c\n"x\n\ny",2,3\n4,5\n', "line 5 has 2 cells"),
    "a short row that is a newline in quotes": ('a,b,c\n1,2,3\n"x\n\ny",2\n', "line 3 has 2 cells"),
    "a long row": ("a,b\n1,2\n3,4,5\n", "line 3 has 3 cells where the first line has 2"),
    "a long row in quotes": ('a,b\n"1",2\n3,"4","5"\n', "line 3 has 3 cells"),
    "a short row and a long one": ("a,b,c\n1,2\n3,4,5,6\n", "line 2 has 2 cells"),
    "a delimiter in a cell": ("text,n\nhello, world,1\n", "quote cells that hold the delimiter ','"),
    "a delimiter in a cell of the only column": ("text\nhello, world\n", "line 2 has 2 cells where the first line has 1"),
    "a NUL byte": ("a,b\n1,2\n3,\x004\n", "line 3 holds a NUL byte"),
    "a NUL in UTF-16": ("\ufeffa,b\n1,\0\n".encode("utf-16-le"), "line 2 holds a NUL byte"),
    "half a UTF-16 letter": ("\ufeffa,b\n1,2\n".encode("utf-16-le")[:-1], "UTF-16 and is none at byte 16"),
    "half a UTF-16 pair": (b"\xff\xfea\x00\x00\xd8,\x00", "UTF-16 and is none at byte 4"),
    "UTF-16 with no mark": ("a,b\n1,2\n".encode("utf-16-le"), "line 1 holds a NUL byte"),
    "UTF-32": ("a,b\n1,2\n".encode("utf-32"), "NUL byte"),
    "infinite": ("a,b\n1.5,1\ninf,2\n", "column 'a' holds an infinite number in row 1"),
    "infinite, below": ("a,b\n1,1.5\n2,-Infinity\n", "column 'b' holds an infinite number in row 1"),
    "infinite among integers": ("a,b\n1,1\ninf,2\n", "column 'a' holds an infinite number in row 1"),
    "a quote that does not close": ('a,b\nx,1\n"y,2\nz,3\n', "row that begins in line 3 .* close"),
    "a quote in the last cell": ('a,b\nx,1\ny,"2\n', "row that begins in line 3"),
    "a quote in the header": ('a,"b\n1,2\n', "row that begins in line 1"),
    "a quote in the only column": ('a\nx\n"y\nz\n', "row that begins in line 3"),
    "letters after a quote": ('a,b\n1,2\n"x"y,1\n', "row that begins in line 3"),
    "an enormous cell": ("a,b\n1,2\n" + "x" * (CELL_BYTES + 1) + ",1\n", f"'a' holds more than {CELL_BYTES} bytes in row 1"),
    "an enormous cell in quotes": ('a,b\n1,2\n"' + "x" * (CELL_BYTES + 1) + '",1\n', "'a' holds more than"),
    "what Polars breaks on": ('h,k\n\t0true"\r"x"|\rnan1,2\n- \t"x"\',"', "row that begins in line 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named(tmp_path: Path, case: str) -> None:
    content, detail = BAD[case]
    with pytest.raises(UnreadableFile, match=detail) as caught:
        read(tmp_path, content)
    assert len(str(caught.value)) < 400
    assert str(tmp_path) not in str(caught.value)


def test_the_largest_cell_is_read(tmp_path: Path) -> None:
    cell = "x" * CELL_BYTES
    assert read(tmp_path, f"a,b\n{cell},1\n").rows() == [(cell, 1)]
    assert read(tmp_path, f'a,b\n"{cell}",1\n').rows() == [(cell, 1)]


crumbs = st.lists(
    st.sampled_from(
        [*'ab12.-,;\t| é\'#""\n\n\r', "\r\n", "NA", "true", "1e5", "inf", "h,k\n", "1,2\n", '"x"', "\x1a", "\u2028", "9" * 20]
    )
).map("".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | crumbs | crumbs.map(lambda text: text.encode("utf-16")), ending=st.sampled_from(["csv", "tsv"]))
@example(content="1\r2a,b\n;0", ending="csv")
@example(content="a,b\rc,d\n1,2,3\n", ending="csv")
@example(content=b"\xff\xfe1", ending="tsv")
def test_any_file_is_read_or_refused(tmp_path: Path, content: str | bytes, ending: str) -> None:
    try:
        table = read(tmp_path, content, f"table.{ending}")
    except (UnreadableFile, UnknownFormat):
        return
    assert table.height > 0
    assert table.width > 0
