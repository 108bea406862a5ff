"""Options by which an upload says how its file is to be read; what it leaves open is found out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, WithJsonSchema

from engine.forms import Matching
from engine.tables.features import ColumnKind
from store.readings.markers import GAPS

Encoding = Literal[
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252", "windows-1250", "windows-1251", "iso-8859-2",
    "iso-8859-15", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "mac-roman", "windows-1253", "windows-1254", "koi8-r",
    "cp850",
]  # fmt: skip
TABS = {"tab": "\t", "\\t": "\t"}
"""How a tab may be written where it is hard to type."""
TEXTUAL = ("categorical", "text")
"""Kinds of columns whose cells are words."""
NUMERIC = ("numeric", "integer")


@dataclass(frozen=True)
class KindOf:
    """A column, and the kind that it really is."""

    name: str
    kind: ColumnKind


def of_json(given: Any) -> Any:
    """The value of a form field as JSON."""
    if not isinstance(given, str):
        return given
    try:
        return TypeAdapter(Any).validate_json(given)
    except ValidationError:
        raise ValueError('must be JSON, as in [{"name": "zip", "kind": "categorical"}]') from None


def _no_flag(given: Any) -> Any:
    """A correction's JSON says what a form says in text, in which true is no number."""
    if isinstance(given, bool):
        raise ValueError("must be an integer")
    return given


def names_in(given: Any) -> Any:
    """Names parted by commas, or as a JSON list where a name holds one; each once."""
    if not isinstance(given, str):
        return given
    try:
        names = TypeAdapter(list[str]).validate_json(given) if given.startswith("[") else given.split(",")
    except ValidationError:
        names = given.split(",")
    return list(dict.fromkeys(names))


def _text(description: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "description": description})


Character = Annotated[str, Matching(r"^[\x09\x20-\x7e]$", "one ASCII character")]


@dataclass(frozen=True)
class ReadOptions:
    """Form fields of an upload. Each is null by default: found out."""

    delimiter: Annotated[
        Character | Literal["spaces"] | None,
        Field(description="one character between cells, or `spaces` for runs of them; found among , ; tab | : ~ ^ and spaces"),
    ] = None
    quote: Annotated[Character | Literal["none"] | None, Field(description="around cells, or `none`; `\"` or `'` is found")] = (
        None
    )
    escape: Annotated[
        Literal["doubled", "backslash"] | None, Field(description="how a quote is written within a quoted cell; found")
    ] = None
    header: Annotated[bool | None, Field(description="whether the first row names the columns")] = None
    skip_lines: Annotated[
        Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(_no_flag)] | None,
        Field(description="lines above the header, or the rows, that are left out; found"),
    ] = None
    skip_footer: Annotated[
        Annotated[int, Field(ge=0, le=10_000), BeforeValidator(_no_flag)] | None,
        Field(description="lines below the rows that are left out, blank ones not counted; found"),
    ] = None
    comment: Annotated[
        Annotated[str, Matching(r"^[\x21-\x7e]{1,4}$", "one to four ASCII characters without spaces, or none")] | None,
        Field(
            description="what lines begin with that are left out, or `none`; `#`, `%` and `//` are found above the rows",
        ),
    ] = None
    encoding: Annotated[
        Encoding | None, Field(description="UTF-8 and UTF-16 by its mark are found; any other is guessed, or named")
    ] = None
    decimal: Annotated[Literal[".", ","] | None, Field(description="what stands before a number's fraction")] = None
    thousands: Annotated[
        Literal[",", ".", " ", "'", "none"] | None, Field(description="what parts a number's digits, or `none`")
    ] = None
    booleans: Annotated[
        Annotated[str, Matching(r"^(keep|[^/]+/[^/]+)$", "two words with a slash between, as in 1/0, or keep")] | None,
        Field(
            description="the words for true and false, as in `1/0` or `ja/nein`; true/false and yes/no are found; `keep`: none",
        ),
    ] = None
    dates: Annotated[
        Literal["iso", "days", "keep"] | None,
        Field(description="dates become text as in 2024-12-31 (`iso`), days since 1970 (`days`), or stay as they are (`keep`)"),
    ] = None
    date_format: Annotated[
        Annotated[str, Field(min_length=2, max_length=50), Matching("%", "written with %, as in %d/%m/%Y")] | None,
        Field(description="how dates are written, as in `%d/%m/%Y`"),
    ] = None
    missing: Annotated[
        str | None,
        Field(description="cells that stand for nothing, comma-separated, instead of NA, N/A, NaN, null, None and ?"),
    ] = None
    sheet: Annotated[
        str | None,
        Field(max_length=200, description="of a spreadsheet: a sheet's name, or its number from 1; the first by default"),
    ] = None
    image_size: Annotated[
        Annotated[str, Matching(r"^[1-9]\d{0,4}x[1-9]\d{0,4}$", "width and height, as in 28x28")] | None,
        Field(description="width and height that pictures are resized to, as in `28x28`"),
    ] = None
    image_mode: Annotated[Literal["grey", "rgb"] | None, Field(description="what all pictures are made")] = None

    columns: Annotated[
        tuple[KindOf, ...] | None,
        BeforeValidator(of_json),
        _text('what columns really are, as JSON: `[{"name": "zip", "kind": "categorical"}]`'),
    ] = None
    words: Annotated[
        tuple[str, ...] | None,
        BeforeValidator(names_in),
        _text("columns whose cells stay words as the file has them, comma-separated or a JSON list; 007 is not 7 then"),
    ] = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "ReadOptions":
        """The options of fields as they were sent, or as `given` tells them. Raises ValidationError."""
        delimiter = given.get("delimiter")
        return _adapter().validate_python({**given, "delimiter": TABS.get(str(delimiter), delimiter)})

    @property
    def texts(self) -> frozenset[str]:
        """The columns whose cells are words, whatever they look like."""
        return frozenset(self.words or ()) | {column.name for column in self.columns or () if column.kind in TEXTUAL}

    @property
    def numeric(self) -> frozenset[str]:
        """The columns whose cells are numbers, whatever they look like."""
        return frozenset(column.name for column in self.columns or () if column.kind in NUMERIC)

    @property
    def given(self) -> dict[str, Any]:
        """The fields that are not left open."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def markers(self) -> tuple[str, ...]:
        """Cells that stand for nothing in any column; an empty one always does."""
        return GAPS if self.missing is None else ("", *filter(None, self.missing.split(",")))


@cache
def _adapter() -> TypeAdapter[ReadOptions]:
    return TypeAdapter(ReadOptions)


FIELDS = tuple(field.name for field in fields(ReadOptions))
SHEET, IMAGES = ("sheet",), ("image_size", "image_mode")
NAMES = tuple(name for name in FIELDS if name not in (*SHEET, *IMAGES))
"""Options on delimited text."""
CELLS = ("decimal", "thousands", "booleans", "dates", "date_format", "missing")
"""Options on what words in cells mean."""
