"""What routes that answer with a PNG share: how it is declared, and how large a pixel is drawn."""

from typing import Annotated

from fastapi import Query

from service.responses import BINARY

PNG = {"content": {"image/png": {"schema": BINARY}}}
Scale = Annotated[int, Query(ge=1, le=32, description="each pixel becomes a square of so many by so many")]
