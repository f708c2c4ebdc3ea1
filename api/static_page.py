"""Serving the page: files of the `web` package with fixed types, revalidated at every load.

Knows suffixes and headers, not what the page does.
"""

import os
from pathlib import PurePath

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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


def add_page(app: FastAPI) -> None:
    """Serve index.html at / and the files beside it under /static."""
    folder = static_dir()
    app.mount("/static", PageFiles(directory=folder), name="static")

    @app.get("/", include_in_schema=False)
    def show_index() -> FileResponse:
        headers = {"Cache-Control": "no-cache"}
        return FileResponse(folder / "index.html", headers=headers, media_type="text/html")
