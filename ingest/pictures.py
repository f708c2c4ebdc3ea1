"""PagePictures: pages as PNG with passages lit, drawn in a process of their own under limits.

Knows which pictures could not be drawn before; the drawing is `page_picture`, the process is
`sandbox`. The accepted range of a request is the service's.
"""

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.limits import ParseLimits
from ingest.media_types import drawn_type
from ingest.sandbox import Sandbox
from kb_service.domain.errors import NotFound, ParseInterrupted
from kb_service.domain.ports import HEAD_BYTES
from kb_service.domain.spans import Box

REMEMBERED_S = 600.0
"""How long a picture that could not be drawn in time is refused at once."""

_MAX_REMEMBERED = 1000
_SMALLER = 2.0  # a picture of half the scale has a quarter of the pixels: worth another try
_CLOCK_SHARE = 4.0  # seconds by the clock for each second of processor time: others run as well


class PagePictures:
    """Draws pages, each within `picture_s` seconds of processor time. Safe between threads."""

    def __init__(
        self,
        limits: ParseLimits,
        picture_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sandbox = Sandbox(
            replace(
                limits,
                base_cpu_s=picture_s,
                timeout_s=_CLOCK_SHARE * picture_s,
                cpu_s_per_mib=0.0,  # the size of a file says nothing about one page of it
            )
        )
        self._picture_s = picture_s
        self._failures = _Failures(clock)

    def render(
        self,
        path: Path,
        page_number: int,
        boxes: Sequence[Box],
        scale: float,
        hidden: Sequence[Box] = (),
    ) -> bytes:
        """Return a PNG of the page, `boxes` lit and `hidden` black; as `domain.ports.PageDrawer`.

        What took too long (picture_timeout) is then refused at once for a while.
        """
        _require_drawable(path)
        key = (path.name, page_number)
        if failed := self._failures.find(key, scale):
            raise ParseInterrupted(failed.message, code=failed.code, details=failed.details)
        request = {
            "command": "render",
            "path": str(path.resolve()),
            "page_number": page_number,
            "boxes": [list(box) for box in boxes],
            "hidden": [list(box) for box in hidden],
            "scale": scale,
        }
        try:
            return self._drawn(request, path.name)
        except ParseInterrupted as error:
            told = self._told(error, page_number, scale)
            self._failures.add(key, scale, told)
            raise told from error

    def close(self) -> None:
        """End what is being drawn."""
        self._sandbox.close()

    def _drawn(self, request: dict[str, object], name: str) -> bytes:
        steps = self._sandbox.run(request, name)
        with contextlib.closing(steps):
            for step in steps:
                if isinstance(step, Path):
                    return step.read_bytes()
        raise RuntimeError("the process ended without a picture or an error")

    def _told(self, error: ParseInterrupted, page_number: int, scale: float) -> ParseInterrupted:
        if error.code != "parse_timeout":
            return ParseInterrupted(error.message, code=error.code, details=error.details)
        return ParseInterrupted(
            f"page {page_number} takes longer than {self._picture_s:g} s to draw at scale "
            f"{scale:g}; its text can be read all the same",
            code="picture_timeout",
            details={"picture_s": self._picture_s, "scale": scale},
        )


@dataclass(frozen=True, slots=True)
class _Failure:
    scale: float
    until: float
    error: ParseInterrupted


class _Failures:
    """Pages that could not be drawn, with the smallest scale tried, for a while."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_page: OrderedDict[tuple[str, int], _Failure] = OrderedDict()

    def find(self, key: tuple[str, int], scale: float) -> ParseInterrupted | None:
        """Return how the page failed lately at this scale or at one not much larger."""
        with self._lock:
            failure = self._by_page.get(key)
        if failure is None or failure.until <= self._clock() or scale * _SMALLER <= failure.scale:
            return None
        return failure.error

    def add(self, key: tuple[str, int], scale: float, error: ParseInterrupted) -> None:
        """Note a failure."""
        until = self._clock() + REMEMBERED_S
        with self._lock:
            before = self._by_page.pop(key, None)
            smallest = min(scale, before.scale) if before else scale
            self._by_page[key] = _Failure(smallest, until, error)
            if len(self._by_page) > _MAX_REMEMBERED:
                self._by_page.popitem(last=False)


def _require_drawable(path: Path) -> None:
    with path.open("rb") as stream:
        if drawn_type(stream.read(HEAD_BYTES)) is None:
            raise NotFound(
                "only pages of PDF files and pictures are drawn", code="page_has_no_picture"
            )
