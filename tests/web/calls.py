"""The calls of the API that a page makes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page


@contextmanager
def calls_of(page: Page) -> Iterator[list[str]]:
    """The calls of the API that a page makes meanwhile, as `METHOD path`, ids as stars."""
    calls: list[str] = []

    def note(request: object) -> None:
        url, method = request.url, request.method  # type: ignore[attr-defined]  # of playwright
        if "/static/" not in url:
            path = re.sub(r"(kb|doc|conv|ans|job)_\w+", "*", url.split("/", 3)[3].split("?")[0])
            calls.append(f"{method} {path}")

    page.on("request", note)
    yield calls
    page.remove_listener("request", note)
