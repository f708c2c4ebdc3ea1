"""ReadingLoader: a file is parsed, what its text lacks is read from its pictures, and it is put
together with both.

Knows the order of these steps and what becomes of a page that cannot be read; the processes are
`sandbox`. Pictures are read some pages at a time in a process of their own: a page that kills it is
named in the report, and the others are read all the same.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from ingest import ocr
from ingest.limits import ParseLimits
from ingest.page_reading import FAILED, ReadingFolder
from ingest.sandbox import Sandbox, SandboxedLoader
from kb_service.domain.documents import OCR_NOT_INSTALLED, ParsedDocument
from kb_service.domain.errors import KbError
from kb_service.domain.jobs import JobStage, Progress

PAGES_AT_A_TIME = 8
_CLOCK_SHARE = 6.0  # seconds by the clock for each second of processor time: others run as well
log = structlog.get_logger("ingest")


class PageReader:
    """Reads pages of a file as pictures, each within `page_s` seconds of processor time."""

    def __init__(self, limits: ParseLimits, page_s: float) -> None:
        cpu_s = page_s * PAGES_AT_A_TIME
        self._sandbox = Sandbox(
            replace(
                limits,
                base_cpu_s=cpu_s,
                cpu_s_per_mib=0.0,  # the size of a file says nothing about some pages of it
                timeout_s=_CLOCK_SHARE * cpu_s,
                base_memory_bytes=limits.memory_bytes,
            )
        )

    def read(
        self, path: Path, name: str, media_type: str, wanted: Sequence[int], folder: Path
    ) -> Iterator[Progress]:
        """Put a reading of each wanted page into the folder; yield progress meanwhile.

        A page that could not be read has one that says so.
        """
        readings = ReadingFolder(folder)
        left = [number for number in wanted if readings.get(number) is None]
        while left:
            request = {
                "command": "read",
                "path": str(path.resolve()),
                "media_type": media_type,
                "page_numbers": left[:PAGES_AT_A_TIME],
                "readings": str(folder),
            }
            before = len(wanted) - len(left)
            try:
                for done in self._progress(request, name):
                    yield Progress(JobStage.LOAD, before + done, len(wanted))
            except KbError as error:
                at_fault = next(n for n in left if readings.get(n) is None)
                log.warning("page not read", name=name, page_number=at_fault, error=error.message)
                readings.add(at_fault, FAILED)
            left = [number for number in left if readings.get(number) is None]

    def close(self) -> None:
        """End what is being read."""
        self._sandbox.close()

    def _progress(self, request: Mapping[str, object], name: str) -> Iterator[int]:
        steps = self._sandbox.run(request, name)
        with contextlib.closing(steps):
            for step in steps:
                if isinstance(step, Progress):
                    yield step.done


class ReadingLoader:
    """Loader that reads what stands in pictures as well, where OCR is installed."""

    def __init__(
        self,
        loader: SandboxedLoader,
        reader: PageReader,
        can_read: Callable[[], bool] = ocr.is_installed,
    ) -> None:
        self._loader = loader
        self._reader = reader
        self._can_read = can_read

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument; raises as `SandboxedLoader`."""
        unread: ParsedDocument | None = None
        for step in self._loader.load(path, name, media_type):
            if isinstance(step, ParsedDocument) and step.unread:
                unread = step
            else:
                yield step
        if unread is None:
            return
        if not self._can_read():
            yield _told(unread)
            return
        with tempfile.TemporaryDirectory(prefix="kb-read-") as folder:
            yield from self._reader.read(path, name, media_type, unread.unread, Path(folder))
            yield from self._loader.load(path, name, media_type, Path(folder))

    def warm_up(self) -> None:
        """Have ready what most files need."""
        self._loader.warm_up()

    def close(self) -> None:
        """End what runs."""
        self._reader.close()
        self._loader.close()


def _told(document: ParsedDocument) -> ParsedDocument:
    """Return the document with its report saying of what lies in pictures why it is missing."""
    unread = set(document.unread)
    pages = tuple(
        replace(page, reason=OCR_NOT_INSTALLED) if page.page_number in unread else page
        for page in document.pages
    )
    return replace(document, pages=pages)
