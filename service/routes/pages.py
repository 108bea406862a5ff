"""The dashboard: one page at the address of every view, and what it loads. It needs no key: it asks for one.

Where the dashboard has not been built, a page in its place says how that is done.
"""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from service.caching import IMMUTABLE
from service.dependencies import StoreOf
from service.views import VIEWS

router = APIRouter(include_in_schema=False)
HERE = Path(__file__).parents[1]
BUILT, UNBUILT = HERE / "dashboard", HERE / "unbuilt"
PAGE = "index.html"
POLICY = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors {}; base-uri 'none'; form-action 'self'"
ICON = "icon.svg"


def folder() -> Path:
    """The folder of the files that are served."""
    return BUILT if (BUILT / PAGE).is_file() else UNBUILT


async def page(store: StoreOf) -> Response:
    """The page, in which scripts, styles and data come from this server alone."""
    framers = " ".join(store.settings.framers) or "'none'"
    fields = {
        "Content-Security-Policy": POLICY.format(framers),
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
    return Response((folder() / PAGE).read_bytes(), headers=fields, media_type="text/html")


for view in VIEWS:
    router.add_api_route(view, page, methods=["GET"], name=f"page of {view}")


@router.get("/assets/{name}")
async def built(name: str) -> FileResponse:
    return _file(folder() / "assets", name, IMMUTABLE)


@router.get(f"/{ICON}")
async def icon() -> FileResponse:
    return _file(folder(), ICON, "no-cache")


def _file(within: Path, name: str, kept: str) -> FileResponse:
    """A file of the folder. Raises HTTPException where there is none of that name."""
    if name not in {entry.name for entry in within.iterdir() if entry.is_file()}:
        raise HTTPException(404)
    return FileResponse(within / name, headers={"Cache-Control": kept})
