"""Serving the page: files of the `web` package with fixed types, revalidated at every load.

Knows suffixes and headers, not what the page does.
"""

import os
from http import HTTPStatus
from pathlib import Path, PurePath

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kb_service.domain.hashing import sha256_of_text
from web import static_dir

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
"""Fixed here: what the operating system believes about extensions must not break the page."""


MIN_COMPRESSED_BYTES = 1024


class PageFiles(StaticFiles):
    """Static files with our media types and `no-cache` (an ETag makes revalidation cheap)."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file, or 304 when the client has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "no-cache"
        media_type = MEDIA_TYPES.get(PurePath(full_path).suffix, "application/octet-stream")
        response.headers["content-type"] = media_type
        return response


def index_page(folder: Path) -> str:
    """Return index.html with every script named in its head.

    Scripts import each other eight deep: a browser that learns of each from the one before waits
    for the line eight times.
    """
    page = (folder / "index.html").read_text(encoding="utf-8")
    scripts = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.js"))
    links = "".join(f'  <link rel="modulepreload" href="static/{name}">\n' for name in scripts)
    head, end, rest = page.partition("</head>")
    return f"{head}{links}{end}{rest}"


def add_page(app: FastAPI) -> None:
    """Serve index.html at / and the files beside it under /static, compressed where asked."""
    folder = static_dir()
    files = GZipMiddleware(PageFiles(directory=folder), minimum_size=MIN_COMPRESSED_BYTES)
    app.mount("/static", files, name="static")
    index = index_page(folder)
    headers = {"Cache-Control": "no-cache", "ETag": f'"{sha256_of_text(index)}"'}

    @app.get("/", include_in_schema=False)
    def show_index(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return HTMLResponse(index, headers=headers)
