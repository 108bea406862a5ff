"""The pages that show the OpenAPI document, with scripts and styles of this server's own: they work without the internet."""

from functools import cache
from importlib.resources import as_file, files
from typing import Literal

import fastapi_offline
from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

router = APIRouter(include_in_schema=False)
FOLDER = files(fastapi_offline) / "static"
ASSETS = "/docs/assets"
REDOC = "redoc.standalone.js"
LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
EMPTY = b"data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; frame-ancestors 'none'"
)
"""Nothing is loaded from elsewhere, and no other page frames this one, which can call everything."""
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}


@router.get("/docs")
async def swagger_ui(request: Request) -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=f"{request.app.title}: every call, to try",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
        swagger_ui_parameters={"validatorUrl": None},  # a badge that asks another server about the document
    )
    page.headers.update(HEADERS)
    return page


@router.get("/redoc")
async def redoc(request: Request) -> HTMLResponse:
    page = get_redoc_html(
        openapi_url="/openapi.json",
        title=f"{request.app.title}: every call, to read",
        redoc_js_url=f"{ASSETS}/{REDOC}",
        redoc_favicon_url=f"{ASSETS}/favicon.png",
        with_google_fonts=False,
    )
    page.headers.update(HEADERS)
    return page


@router.get(ASSETS + "/{name}")
async def asset(
    name: Literal["swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"],
) -> Response:
    if name == REDOC:
        return Response(_redoc(), media_type="text/javascript")
    with as_file(FOLDER / name) as path:
        return FileResponse(path)


@cache
def _redoc() -> bytes:
    """ReDoc's script without the picture that it would load from its makers' server."""
    return (FOLDER / REDOC).read_bytes().replace(LOGO, EMPTY)
