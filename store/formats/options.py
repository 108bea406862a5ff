"""What an upload may say about how its file is to be read; what it leaves open is found out."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import Field

from store.readings.markers import GAPS

ENCODINGS = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252", "windows-1250", "windows-1251", "iso-8859-2",
    "iso-8859-15", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "mac-roman", "windows-1253", "windows-1254", "koi8-r",
    "cp850",
)  # fmt: skip
Encoding = Literal[
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252", "windows-1250", "windows-1251", "iso-8859-2",
    "iso-8859-15", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "mac-roman", "windows-1253", "windows-1254", "koi8-r",
    "cp850",
]  # fmt: skip
Character = Annotated[str, Field(pattern=r"^[\x09\x20-\x7e]$")]


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
        int | None, Field(ge=0, le=1_000_000, description="lines above the header, or the rows, that are left out; found")
    ] = None
    skip_footer: Annotated[
        int | None, Field(ge=0, le=10_000, description="lines below the rows that are left out, blank ones not counted; found")
    ] = None
    comment: Annotated[
        str | None,
        Field(
            pattern=r"^[\x21-\x7e]{1,4}$",
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
        str | None,
        Field(
            pattern=r"^(keep|[^/]+/[^/]+)$",
            description="the words for true and false, as in `1/0` or `ja/nein`; true/false and yes/no are found; `keep`: none",
        ),
    ] = None
    dates: Annotated[
        Literal["iso", "days", "keep"] | None,
        Field(description="dates become text as in 2024-12-31 (`iso`), days since 1970 (`days`), or stay as they are (`keep`)"),
    ] = None
    date_format: Annotated[
        str | None, Field(min_length=2, max_length=50, pattern="%", description="how dates are written, as in `%d/%m/%Y`")
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
        str | None,
        Field(
            pattern=r"^[1-9]\d{0,4}x[1-9]\d{0,4}$", description="width and height that pictures are resized to, as in `28x28`"
        ),
    ] = None
    image_mode: Annotated[Literal["grey", "rgb"] | None, Field(description="what all pictures are made")] = None

    @property
    def given(self) -> dict[str, Any]:
        """The fields that are not left open."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def markers(self) -> tuple[str, ...]:
        """Cells that stand for nothing in any column; an empty one always does."""
        return GAPS if self.missing is None else ("", *filter(None, self.missing.split(",")))


SHEET, IMAGES = ("sheet",), ("image_size", "image_mode")
NAMES = tuple(field.name for field in fields(ReadOptions) if field.name not in (*SHEET, *IMAGES))
"""Options on delimited text."""
CELLS = ("decimal", "thousands", "booleans", "dates", "date_format", "missing")
"""Options on what words in cells mean."""
