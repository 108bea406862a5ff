"""What routes that answer with a PNG share: how it is declared, how large a pixel is drawn, and which images are meant."""

from typing import Annotated

from fastapi import Query

from engine.forms import Matching
from service.responses import BINARY

PNG = {"content": {"image/png": {"schema": BINARY}}}
Scale = Annotated[int, Query(ge=1, le=32, description="each pixel becomes a square of so many by so many")]
ImageColumn = Annotated[
    str | None,
    Query(
        description="a column of images; of a table with a column a pixel, what their names begin with, as `pixel` of "
        "`pixel_0_0`. The first that there is by default"
    ),
]
Size = Annotated[
    str | None,
    Query(
        description="width and height, as in `28x28`, by which vectors, or columns that are numbered, are images row by row",
        max_length=11,
    ),
    Matching(r"^[1-9]\d{0,4}x[1-9]\d{0,4}$", "width and height, as in 28x28"),
]


def size_of(given: str | None) -> tuple[int, int] | None:
    """Width and height."""
    width, _, height = (given or "").partition("x")
    return (int(width), int(height)) if given else None
