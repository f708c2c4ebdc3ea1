"""ConvertingLoader: files of old formats, made into a file that is read by a program outside.

The program runs as a process of its own, without a shell, with limits on time, memory and what it
writes, in a folder that goes with it, and without a network where the system allows that. What it
made is read as any other upload is. Knows processes; which programs there are is `converters`.
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from ingest.converters import LIBREOFFICE, Converter
from ingest.limits import ParseLimits
from ingest.media_types import DOC, PLAIN_TEXT, PPT, WPS, converter_missing
from ingest.reading import ReadingLoader
from kb_service.domain.documents import CONVERTED_BY, ParsedDocument
from kb_service.domain.errors import DocumentError, ParseInterrupted
from kb_service.domain.jobs import JobStage, Progress

_POLL_S = 0.25
_SUFFIXES = {DOC: ".doc", PPT: ".ppt", WPS: ".wps"}
_OUTPUT = "output.txt"
_MIN_OFFICE_BYTES = 4 << 30
"""Of address space, which LibreOffice maps and does not fill."""
_ALONE = ("unshare", "--map-root-user", "--net")
"""A network of its own, in which nothing can be reached (util-linux)."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ConvertingLoader:
    """Loader for what others read and for what converters make readable."""

    def __init__(
        self, loader: ReadingLoader, converters: Sequence[Converter], limits: ParseLimits
    ) -> None:
        self._loader = loader
        self._converters = tuple(converters)
        self._limits = limits

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress, then the ParsedDocument; its metadata names the program.

        Raises as `ReadingLoader`, and DocumentError (converter_missing, corrupt_document).
        """
        if media_type not in _SUFFIXES:
            yield from self._loader.load(path, name, media_type)
            return
        converter = next((c for c in self._converters if media_type in c.results), None)
        if converter is None:
            raise converter_missing(name)
        with tempfile.TemporaryDirectory(prefix="kb-convert-") as folder:
            made = yield from self._converted(path, name, media_type, converter, Path(folder))
            # Under the name of the original, by which what is read of its pictures is kept.
            result = made.rename(Path(folder) / path.name)
            for step in self._loader.load(result, name, converter.results[media_type]):
                yield _told(step, converter) if isinstance(step, ParsedDocument) else step

    def warm_up(self) -> None:
        """Have ready what most files need."""
        self._loader.warm_up()

    def close(self) -> None:
        """End what runs."""
        self._loader.close()

    def _converted(
        self, path: Path, name: str, media_type: str, converter: Converter, folder: Path
    ) -> Generator[Progress, None, Path]:
        """Run a converter; yield while it works, return what it made."""
        work = folder / "work"
        work.mkdir()
        source = work / f"document{_SUFFIXES[media_type]}"
        shutil.copyfile(path, source)
        output = work / _OUTPUT
        command = converter.command(source, work)
        if converter.name == LIBREOFFICE:
            command = [*_prefix(), *command]
        with output.open("wb") as stream:
            process = _started(command, work, stream.fileno())
            _limit(process.pid, self._limits, path.stat().st_size, converter)
            yield from self._waited(process, name)
        made = _result(work, converter.results[media_type])
        self._check(process.returncode, name, converter)
        if made is None:
            raise DocumentError(f"{converter.name} found nothing to read in {name}")
        return made

    def _waited(self, process: "subprocess.Popen[bytes]", name: str) -> Iterator[Progress]:
        """Yield until it ends; it and all that it started are ended with the caller, or late."""
        deadline = time.monotonic() + self._limits.timeout_s
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
                    return
                if time.monotonic() > deadline:
                    raise self._late(name)
                yield Progress(JobStage.LOAD, 0, 0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _check(self, status: int, name: str, converter: Converter) -> None:
        """Raise what the end of a program says, nothing for a good one."""
        if status == -signal.SIGXCPU:
            raise self._late(name)
        if status == -signal.SIGKILL:
            raise ParseInterrupted(
                f"{converter.name} was killed over {name}, most likely for want of memory",
                code="parse_memory",
            )
        if status:
            raise DocumentError(
                f"{name} cannot be converted by {converter.name} (exit status {status})",
                code="corrupt_document",
            )

    def _late(self, name: str) -> ParseInterrupted:
        limit = self._limits.timeout_s
        return ParseInterrupted(
            f"{name} took longer than {limit:g} s to convert",
            code="parse_timeout",
            details={"timeout_s": limit},
        )


def _started(command: Sequence[str], folder: Path, output: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": _PATH, "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"},
        process_group=0,
    )


def _limit(pid: int, limits: ParseLimits, size_bytes: int, converter: Converter) -> None:
    """Lower what a process may use; one that has ended already used little."""
    memory = limits.memory_bytes
    if converter.name == LIBREOFFICE:
        memory = max(memory, _MIN_OFFICE_BYTES)
    for kind, value in (
        (resource.RLIMIT_CPU, limits.cpu_budget_s(size_bytes)),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, limits.max_decompressed_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ProcessLookupError):
            hard = value + 1 if kind == resource.RLIMIT_CPU else value  # told before it is killed
            resource.prlimit(pid, kind, (value, hard))


@cache
def _prefix() -> tuple[str, ...]:
    """What gives a program a network of its own, () where the system refuses that."""
    if shutil.which(_ALONE[0]) is None:
        return ()
    tried = subprocess.run([*_ALONE, "true"], capture_output=True, check=False)
    return _ALONE if tried.returncode == 0 else ()


def _result(work: Path, media_type: str) -> Path | None:
    """Return what a converter made: a file beside its source, or what it said."""
    if media_type == PLAIN_TEXT:
        output = work / _OUTPUT
        return output if output.stat().st_size else None
    made = [path for path in work.iterdir() if path.suffix in (".docx", ".pptx")]
    return made[0] if made else None


def _told(document: ParsedDocument, converter: Converter) -> ParsedDocument:
    return replace(document, metadata=document.metadata | {CONVERTED_BY: converter.name})
