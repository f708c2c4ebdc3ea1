"""ReadingLoader: a file is parsed, what its text lacks is read from its pictures, and it is put
together with both.

Knows the order of these steps and what becomes of a page that cannot be read; the processes are
`sandbox`. Pictures are read some pages at a time in a process of their own: a page that kills it is
named in the report, and the others are read all the same.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from ingest import ocr
from ingest.limits import ParseLimits
from ingest.page_reading import FAILED, PictureReading, ReadingFolder
from ingest.sandbox import Runner, Sandbox, SandboxedLoader
from kb_service.domain.documents import OCR_NOT_INSTALLED, ParsedDocument
from kb_service.domain.errors import ComputeError, KbError, StorageError
from kb_service.domain.jobs import JobStage, Progress

PAGES_AT_A_TIME = 8
_CLOCK_SHARE = 6.0  # seconds by the clock for each second of processor time: others run as well
log = structlog.get_logger("ingest")


def reading_limits(limits: ParseLimits, page_s: float) -> ParseLimits:
    """Return what some pages may cost, each `page_s` seconds of processor time."""
    cpu_s = page_s * PAGES_AT_A_TIME
    return replace(
        limits,
        base_cpu_s=cpu_s,
        cpu_s_per_mib=0.0,  # the size of a file says nothing about some pages of it
        timeout_s=_CLOCK_SHARE * cpu_s,
        base_memory_bytes=limits.memory_bytes,
    )


def reading_sandbox(limits: ParseLimits, page_s: float) -> Sandbox:
    """Return where pages are read, each within `page_s` seconds of processor time."""
    return Sandbox(reading_limits(limits, page_s))


class PageReader:
    """Reads pages of a file as pictures, some at a time in one process."""

    def __init__(self, sandbox: Runner) -> None:
        self._sandbox = sandbox

    def read(
        self, path: Path, name: str, media_type: str, wanted: Sequence[int], folder: Path
    ) -> Iterator[Progress]:
        """Put a reading of each wanted page into the folder where it has none; yield progress.

        A page that could not be read gets one that says so, and is tried again the next time.
        """
        readings = ReadingFolder(folder)
        left = [number for number in wanted if _is_missing(readings.get(number))]
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
            except ComputeError:
                raise  # no page's fault: the job is tried again
            except KbError as error:
                at_fault = next(n for n in left if _is_missing(readings.get(n)))
                log.warning("page not read", name=name, page_number=at_fault, error=error.message)
                readings.add(at_fault, FAILED)
                left.remove(at_fault)
            left = [number for number in left if _is_missing(readings.get(number))]

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
    """Loader that reads what stands in pictures as well, where OCR is installed.

    `kept_at`: the folder for what is read of a file, so that nothing is read twice; it goes with
    the file. Without, it is kept as long as the file is loaded.
    """

    def __init__(
        self,
        loader: SandboxedLoader,
        reader: PageReader,
        can_read: Callable[[], bool] = ocr.is_installed,
        kept_at: Callable[[Path], Path] | None = None,
    ) -> None:
        self._loader = loader
        self._reader = reader
        self._can_read = can_read
        self._kept_at = kept_at

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument.

        Raises as `SandboxedLoader`, and StorageError when the disk refuses what was read.
        """
        unread: ParsedDocument | None = None
        for step in self._loader.load(path, name, media_type):
            if not isinstance(step, ParsedDocument) or not step.unread:
                yield step
            elif self._can_read():
                unread = step
            else:
                yield _told(step)
        if unread is None:
            return
        with self._folder(path) as folder:
            yield from self._reader.read(path, name, media_type, unread.unread, folder)
            yield from self._loader.load(path, name, media_type, folder)

    @contextlib.contextmanager
    def _folder(self, path: Path) -> Iterator[Path]:
        if self._kept_at is None:
            with tempfile.TemporaryDirectory(prefix="kb-read-") as temporary:
                yield Path(temporary)
            return
        folder = self._kept_at(path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
        except OSError as error:
            raise StorageError.from_os_error("keep what was read of a file", error) from error
        finally:
            if not path.exists():  # deleted meanwhile, and its words with it
                shutil.rmtree(folder, ignore_errors=True)

    def warm_up(self) -> None:
        """Have ready what most files need."""
        self._loader.warm_up()

    def close(self) -> None:
        """End what runs."""
        self._reader.close()
        self._loader.close()


def _is_missing(reading: PictureReading | None) -> bool:
    return reading is None or reading.has_failed


def _told(document: ParsedDocument) -> ParsedDocument:
    """Return the document with its report saying of what lies in pictures why it is missing."""
    unread = set(document.unread_on or document.unread)
    pages = tuple(
        replace(page, reason=OCR_NOT_INSTALLED) if page.page_number in unread else page
        for page in document.pages
    )
    return replace(document, pages=pages)
