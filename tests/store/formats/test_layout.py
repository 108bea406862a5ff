"""How files are laid out: what people's files have above, around and below their rows, and what is told of it."""

from pathlib import Path
from typing import Any

import pytest

from store.errors import UnreadableFile
from tests.store.formats import read, read_all

N = None
LEFT_OUT = "LINES_LEFT_OUT"
READ: dict[str, tuple[str | bytes, list[str], list[tuple[Any, ...]], list[str]]] = {
    # what it is: (the file, the columns' names, the first rows, what is told)
    "backslashes": ('id,word\n1,"a 5\\" pipe"\n2,"b"\n', ["id", "word"], [(1, 'a 5" pipe'), (2, "b")], []),
    "backslashes and delimiters": ('id,w\n1,"5\\", or so"\n2,"6\\", x"\n', ["id", "w"], [(1, '5", or so'), (2, '6", x')], []),
    "a backslash that escapes nothing": ('p,y\n"C:\\dir\\",1\n"D:\\",2\n', ["p", "y"], [("C:\\dir\\", 1), ("D:\\", 2)], []),
    "colons": ("x:y:z\n1.5:2.5:3.5\n2.5:3.5:4.5\n", ["x", "y", "z"], [(1.5, 2.5, 3.5), (2.5, 3.5, 4.5)], []),
    "tildes": ("x~y\n1~a b\n2~c\n", ["x", "y"], [(1, "a b"), (2, "c")], []),
    "spaces": ("x y z\n1.5 2.5 3.5\n2.5 3.5 4.5\n", ["x", "y", "z"], [(1.5, 2.5, 3.5), (2.5, 3.5, 4.5)], []),
    "aligned": (" 1.5  18.00  7\n 12.5  8.00 17\n", ["column_0", "column_1", "column_2"], [(1.5, 18, 7), (12.5, 8, 17)], []),
    "spaces and quotes": (
        '18.0  8 70\t"chevrolet chevelle"\n15.0  8 71\t"buick skylark"\n',
        ["column_0", "column_1", "column_2", "column_3"],
        [(18.0, 8, 70, "chevrolet chevelle"), (15.0, 8, 71, "buick skylark")],
        [],
    ),
    "thousands by spaces": (
        "0000,1 000 000\n0000,1 000 000\n",
        ["column_0", "column_1"],
        [("0000", 1_000_000), ("0000", 1_000_000)],
        ["READ_AS", "LEADING_ZEROS"],
    ),
    "one delimiter in apostrophes": (
        "red;2;\nblue;3;\nx1;4;\n'a;b';5;\n",
        ["column_0", "column_1", "column_2"],
        [("red", "2", None), ("blue", "3", None), ("x1", "4", None), ("'a", "b'", 5)],
        ["QUOTES", "LINES_LEFT_OUT", "ALMOST_NUMBERS"],
    ),
    "a space before quotes": (
        'id, w, n\n1, "red, dark", 2\n2, "b", 3\n',
        ["id", "w", "n"], [(1, "red, dark", 2), (2, "b", 3)], [],
    ),
    "single quotes": ("id,word\n1,'red, dark'\n2,'blue'\n", ["id", "word"], [(1, "red, dark"), (2, "blue")], []),
    "sep=": ("sep=;\nx;y\n1;2\n3;4\n", ["x", "y"], [(1, 2), (3, 4)], [LEFT_OUT]),
    "comments": ("# made by hand\n# in May\na,b\n1,2\n3,4\n", ["a", "b"], [(1, 2), (3, 4)], [LEFT_OUT]),
    "a comment with a delimiter": ("# by hand, in May\na,b\n1,2\n3,4\n", ["a", "b"], [(1, 2), (3, 4)], [LEFT_OUT]),
    "a comment between": ("% one\na,b\n1,2\n% two\n3,4\n", ["a", "b"], [(1, 2), (3, 4)], [LEFT_OUT]),
    "a comment alone": ("# made by hand\na,b\n1,2\n", ["a", "b"], [(1, 2)], [LEFT_OUT]),
    "a title": ("Report of May\n\na,b\n1.5,2.5\n3.5,4.5\n", ["a", "b"], [(1.5, 2.5), (3.5, 4.5)], [LEFT_OUT]),
    "a padded title": ("Report of May,,\n,,\na,b,c\n1,2,3\n4,5,6\n", ["a", "b", "c"], [(1, 2, 3), (4, 5, 6)], [LEFT_OUT]),
    "a padded title over two": ("Report,\n,\na,b\n1,2\n3,4\n", ["a", "b"], [(1, 2), (3, 4)], [LEFT_OUT]),
    "two header rows": (
        "length,mass\n(mm),(kg)\n1.5,2.5\n3.5,4.5\n",
        ["length (mm)", "mass (kg)"],
        [(1.5, 2.5), (3.5, 4.5)],
        ["HEADER_ROWS"],
    ),
    "merged header cells": (
        "town,2019,,2020,\n,men,women,men,women\nA,1,2,3,4\nB,5,6,7,8\n",
        ["town", "2019 men", "2019 women", "2020 men", "2020 women"],
        [("A", 1, 2, 3, 4), ("B", 5, 6, 7, 8)],
        ["HEADER_ROWS", "READ_AS"],
    ),
    "years as names": (
        "region,1990,1995\ns,40,45\nn,41,46\n",
        ["region", "1990", "1995"], [("s", 40, 45), ("n", 41, 46)], ["READ_AS"],
    ),
    "names that count": ("0,1,2\n1.5,2.5,x\n3.5,4.5,y\n", ["0", "1", "2"], [(1.5, 2.5, "x"), (3.5, 4.5, "y")], ["READ_AS"]),
    "a date first": (
        "2020-01-01,a,n\n2020-01-02,b,y\n2020-01-03,a,y\n",
        ["column_0", "column_1", "column_2"],
        [("2020-01-01", "a", "n"), ("2020-01-02", "b", "y"), ("2020-01-03", "a", "y")],
        [],
    ),
    "a gap first": ("red,NA\nblue,2.5\nred,3.5\n", ["column_0", "column_1"], [("red", N), ("blue", 2.5), ("red", 3.5)], []),
    "letters alone": (
        "c,a,c\nc,b,c\nb,a,a\n",
        ["column_0", "column_1", "column_2"], [("c", "a", "c"), ("c", "b", "c"), ("b", "a", "a")], ["READ_AS"],
    ),
    "words alone": ("color,size\nred,big\nblue,small\n", ["color", "size"], [("red", "big"), ("blue", "small")], ["READ_AS"]),
    "decimal commas without header": ("0,1;1,5\n0,2;2,5\n", ["column_0", "column_1"], [(0.1, 1.5), (0.2, 2.5)], []),
    "an index of pandas": (",x,y\n0,1.5,2\n1,2.5,3\n", ["column_0", "x", "y"], [(0, 1.5, 2), (1, 2.5, 3)], ["INDEX_COLUMN"]),
    "row names of R": (
        '"mpg","cyl"\n"Mazda RX4",21.0,6\n"Datsun 710",22.8,4\n',
        ["column_0", "mpg", "cyl"],
        [("Mazda RX4", 21.0, 6), ("Datsun 710", 22.8, 4)],
        ["INDEX_COLUMN"],
    ),
    "row names of R, and spaces": (
        '"x" "y"\n"1" 1.5 2\n"2" 2.5 3\n',
        ["column_0", "x", "y"], [(1, 1.5, 2), (2, 2.5, 3)], ["INDEX_COLUMN"],
    ),
    "an unnamed column": ("a,,c\n1,2,3\n4,5,6\n", ["a", "column_1", "c"], [(1, 2, 3), (4, 5, 6)], ["UNNAMED_COLUMN"]),
    "a name of spaces": ("a, \n1,2\n4,5\n", ["a", "column_1"], [(1, 2), (4, 5)], ["UNNAMED_COLUMN"]),
    "a name twice": ("a,b,a,a_2\n1,2,3,4\n", ["a", "b", "a_3", "a_2"], [(1, 2, 3, 4)], ["REPEATED_NAME"]),
    "a delimiter behind every row": ("x,y,\n1,2,\n3,4,\n", ["x", "y"], [(1, 2), (3, 4)], ["EMPTY_COLUMN"]),
    "a delimiter behind the header": ("x,y,\n1,2\n3,4\n", ["x", "y"], [(1, 2), (3, 4)], [LEFT_OUT]),
    "a delimiter behind the rows": ("x,y\n1,2,\n3,4,\n", ["x", "y"], [(1, 2), (3, 4)], ["EMPTY_COLUMN"]),
    "a delimiter behind some rows": ("x,y\n1,2,\n3,4\n5,6\n", ["x", "y"], [(1, 2), (3, 4), (5, 6)], [LEFT_OUT]),
    "an empty unnamed column within": ("x,,y\n1,,2\n3,,4\n", ["x", "y"], [(1, 2), (3, 4)], ["EMPTY_COLUMN"]),
    "the header again": ("a,b\na,b\n1,2\n3,4\na,b\n5,6\n", ["a", "b"], [(1, 2), (3, 4), (5, 6)], [LEFT_OUT]),
    "rows of delimiters": ("x,y\n1,2\n,\n3,4\n , \n", ["x", "y"], [(1, 2), (3, 4)], [LEFT_OUT]),
    "a line of spaces": ("a,b\n1,2\n  \n3,4\n", ["a", "b"], [(1, 2), (3, 4)], [LEFT_OUT]),
    "a footnote": ("town,n\nA,1\nB,2\nSource: the census,\n", ["town", "n"], [("A", 1), ("B", 2)], [LEFT_OUT]),
    "a footnote of its own": (
        "town,n\nA,1\nB,2\nC,3\nD,4\n\nThese are made up, all of them\n",
        ["town", "n"], [("A", 1), ("B", 2), ("C", 3), ("D", 4)], [LEFT_OUT],
    ),
    "a total": ("town,n\nA,1\nTotal,1\n", ["town", "n"], [("A", 1), ("Total", 1)], ["TOTAL_ROW"]),
    "inch marks": ('id,size\n1,5"\n2,6"\n', ["id", "size"], [(1, '5"'), (2, '6"')], ["QUOTES"]),
    "inch marks beside quotes": (
        'id,size,w\n1,5","a, b"\n2,6,c\n',
        ["id", "size", "w"], [(1, '5"', "a, b"), (2, "6", "c")], ["QUOTES", "ALMOST_NUMBERS"],
    ),
    "what looks like rows in a cell": (
        'a,b,c\n1,2,"x\n3,4,y\n5,6,"\n7,8,z\n',
        ["a", "b", "c"],
        [(1, 2, "x\n3,4,y\n5,6,"), (7, 8, "z")],
        ["QUOTES"],
    ),
    "one column that is several": ("a-b-c\n1x-2-3\n2x-3-4\n", ["a-b-c"], [("1x-2-3",), ("2x-3-4",)], ["READ_AS", "ONE_COLUMN"]),
    "a mark of UTF-8 within": ("\ufeffa,b\n1,2\n\ufeffa,b\n3,4\n", ["a", "b"], [(1, 2), (3, 4)], ["ENCODING", LEFT_OUT]),
    "Ctrl-Z": ("a,b\n1,2\n3,4\n\x1a", ["a", "b"], [(1, 2), (3, 4)], ["ENCODING"]),
    "one bad byte": (
        "a,b\ncafé,0\nthé,1\nété,2\n".encode() + "caf\xe9,3\n".encode("latin-1"),
        ["a", "b"],
        [("café", 0), ("thé", 1), ("été", 2), ("caf\ufffd", 3)],
        ["ENCODING"],
    ),
    "a gap of MySQL first": (
        "1,ann,\\N\n2,bob,3.5\n3,cy,4.5\n",
        ["column_0", "column_1", "column_2"],
        [(1, "ann", N), (2, "bob", 3.5), (3, "cy", 4.5)],
        [],
    ),
    "at most and above": (
        "39,a,<=50K\n50,b,<=50K\n38,c,<=50K\n54,d,>50K\n52,e,>50K\n",
        ["column_0", "column_1", "column_2"],
        [(39, "a", "<=50K"), (50, "b", "<=50K"), (38, "c", "<=50K"), (54, "d", ">50K"), (52, "e", ">50K")],
        [],
    ),
    "an odd word first": (
        "5,unknown,a\n6,3.5,b\n7,4.5,a\n8,5.5,b\n",
        ["column_0", "column_1", "column_2"],
        [(5, "unknown", "a"), (6, "3.5", "b"), (7, "4.5", "a"), (8, "5.5", "b")],
        ["READ_AS", "ALMOST_NUMBERS"],
    ),
    "an apostrophe in apostrophes": ("a,b\nred,0\n'it''s',0\n", ["a", "b"], [("red", 0), ("'it''s'", 0)], ["QUOTES"]),
    "an escaped apostrophe": ("a,b\nred,0\n'it\\'s',0\n", ["a", "b"], [("red", 0), ("'it\\'s'", 0)], ["QUOTES"]),
    "one year as a name": ("town,2020\nA,100\nB,200\nC,150\n", ["town", "2020"],
        [("A", 100), ("B", 200), ("C", 150)],
        ["READ_AS"]),
    "the same row throughout": ("red,red\nred,red\nred,red\n", ["column_0", "column_1"], [("red", "red")] * 3, ["READ_AS"]),
    "the index's name below two header rows": (
        ",price,price,n\n,mean,sum,sum\nshop,,,\nA,1.5,3.0,4\nB,2.5,5.0,6\nC,3.5,7.0,8\n",
        ["shop", "price mean", "price sum", "n sum"],
        [("A", 1.5, 3.0, 4), ("B", 2.5, 5.0, 6), ("C", 3.5, 7.0, 8)],
        ["HEADER_ROWS"],
    ),
    "answers below a question": (
        "id,Which?,,,Age\n,red,green,blue,Answer\n1001,red,,blue,34\n1002,,green,,45\n1003,red,,,29\n",
        ["id", "Which? red", "Which? green", "Which? blue", "Age Answer"],
        [(1001, "red", N, "blue", 34), (1002, N, "green", N, 45), (1003, "red", N, N, 29)],
        ["HEADER_ROWS"],
    ),
    "a table that psql drew": (
        " id | name | x \n----+------+---\n  1 | ann  | 3.5\n  2 | bob  | 4.5\n(2 rows)\n",
        ["id", "name", "x"], [(1, "ann", 3.5), (2, "bob", 4.5)], [LEFT_OUT, LEFT_OUT, "SPACES"],
    ),
    "a table that MySQL drew": (
        "+----+-----+\n| id | x   |\n+----+-----+\n|  1 | 3.5 |\n|  2 | 4.5 |\n+----+-----+\n2 rows in set (0.00 sec)\n",
        ["id", "x"], [(1, 3.5), (2, 4.5)], ["EMPTY_COLUMN", LEFT_OUT, LEFT_OUT, LEFT_OUT],
    ),
    "several notes": (
        "town,n,m\nA,1,2\nB,2,3\n\nNotes: made up.\n1. Leaves out C.\n2. Rounded, see below.\n",
        ["town", "n", "m"], [("A", 1, 2), ("B", 2, 3)], [LEFT_OUT],
    ),
    "notes below a drawn line": (
        "day;n\n31.12.2019;1\n31.12.2020;2\n__________\nThe office, 2023 | 12.02.2023\n",
        ["day", "n"], [("2019-12-31", 1), ("2020-12-31", 2)], [LEFT_OUT],
    ),
    "days as names": (
        "Province,Country,Lat,1/22/20,1/23/20\n,Albania,41.15,0,1\nAnhui,China,31.8,1,9\n,Chad,15.4,0,2\n",
        ["Province", "Country", "Lat", "1/22/20", "1/23/20"],
        [(N, "Albania", 41.15, 0, 1), ("Anhui", "China", 31.8, 1, 9), (N, "Chad", 15.4, 0, 2)],
        [],
    ),
    "names that count beside a word": (
        "user,1,2,3\nu1,5,4,\nu2,,3,2\nu3,1,,5\n",
        ["user", "1", "2", "3"], [("u1", 5, 4, N), ("u2", N, 3, 2), ("u3", 1, N, 5)], ["READ_AS"],
    ),
    "whole numbers above fractions": (
        "land,10,50,90\nA,1.5,2.5,3.5\nB,1.6,2.6,3.6\n",
        ["land", "10", "50", "90"], [("A", 1.5, 2.5, 3.5), ("B", 1.6, 2.6, 3.6)], ["READ_AS"],
    ),
    "columns of words with spaces": (
        "name       n  city\nAnn Lee     34  New York\nBob         45  Rome\n",
        ["name       n  city"], [("Ann Lee     34  New York",), ("Bob         45  Rome",)], ["READ_AS", "ONE_COLUMN"],
    ),
    "spaces between thousands in Windows-1252": (
        "Région;n\nIDF;1\u00a0234\u00a0567\nPACA;12\u00a0345\nX;987\n".encode("cp1252"),
        ["Région", "n"], [("IDF", 1234567), ("PACA", 12345), ("X", 987)], ["READ_AS"],
    ),
    "CRLF and LF": ("a,b\r\n1,x\n2,y\r\n", ["a", "b"], [(1, "x"), (2, "y")], []),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_what_people_have(tmp_path: Path, case: str) -> None:
    content, names, rows, told = READ[case]
    _, table, warnings = read_all(tmp_path, {"table.csv": content})
    assert table.columns == names
    assert table.rows() == rows
    assert [warning["code"] for warning in warnings] == told


REFUSED: dict[str, tuple[str, str]] = {
    "quotes in quotes": ('id,note\n1,"say "hi" now"\n2,"plain"\n', "line 2 .*'quote'"),
    "inches in quotes": ('part,y\n"0" pipe",0\n"1" pipe",1\n', "line 2 "),
    "rows that were merged": ('id,word,note\n1,"5 by "6",x\n2,"x"","x"\n', "line 2 "),
    "a delimiter that is missing": ('name,note,n\nann,"red, soft",1\nbob"tall, thin",2\n', "line 3 "),
    "a delimiter that is missing, unseen": ('id,name,note,n\n1,ann,"red, soft",1\n2,bob"tall, thin",2\n', "line 3 "),
    "a short last row": ("x,y,z\n1,2,3\n4,5,6\n7,8\n", "line 4 has 2 cells where the first line has 3"),
    "a short row below a title": ("Report of May\nx,y,z\n1,2,3\n4,5,6\n7,8\n9,8,7\n", "line 5 has 2 cells where line 2 has 3"),
    "a quote that does not close, far below": ("a,b\n" + "1,2\n" * 900 + '3,"4\n' + "5,6\n" * 900, "line 902 .*does not close"),
    "a row too long in the middle": ("a,b\n1,2\n3,4,5\n6,7\n", "line 3 has 3 cells"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_known_names_its_line(tmp_path: Path, case: str) -> None:
    content, detail = REFUSED[case]
    with pytest.raises(UnreadableFile, match=detail):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "options", "rows"),
    [
        ("Report,of May\na,b\n1,2\n", {"skip_lines": 1}, [(1, 2)]),
        ("Report of May\na,b\n1,2\n", {"skip_lines": 1}, [(1, 2)]),
        ("a,b\n1,2\nTotal,2\n", {"skip_footer": 1}, [(1, 2)]),
        ("a,b\nx,2\nSource: me,3\n", {"skip_footer": 0}, [("x", 2), ("Source: me", 3)]),
        ("a,b\n!x\n1,2\n!y,z\n", {"comment": "!"}, [(1, 2)]),
        ("a,b\n#x,1\ny,2\n", {"comment": "none"}, [("#x", 1), ("y", 2)]),
        ("a b\n1   2\n", {"delimiter": "spaces"}, [(1, 2)]),
        ('a,b\n"x\\"y",1\n', {"escape": "backslash"}, [('x"y', 1)]),
        ('a,b\n"x" y,1\n', {"quote": "none"}, [('"x" y', 1)]),
        ("a,b\nred,blue\n", {"header": False}, [("a", "b"), ("red", "blue")]),
        ("red,blue\nred,white\n", {"header": True}, [("red", "white")]),
    ],
)
def test_a_form_field_settles_it(tmp_path: Path, content: str, options: dict[str, Any], rows: list[tuple[Any, ...]]) -> None:
    assert read(tmp_path, content, **options).rows() == rows


def test_how_it_was_read_is_shown(tmp_path: Path) -> None:
    content = "Report\n# by hand\n,a,a,\n0,1,x,\n1,2,y,\nSource: me,,,\n"
    found = read_all(tmp_path, {"t.csv": content})[0]["read"]
    assert {
        name: found[name] for name in ("delimiter", "header", "skip_lines", "comment", "skip_footer", "index", "renamed")
    } == {
        "delimiter": ",",
        "header": True,
        "skip_lines": 2,
        "comment": "#",
        "skip_footer": 1,
        "index": "column_0",
        "renamed": {"": "column_0", "a": "a_2"},
    }
    assert [(entry["reason"], entry["lines"]) for entry in found["left_out"]] == [
        ("title", [1]),
        ("comment", [2]),
        ("footnote", [6]),
    ]
