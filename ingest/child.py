"""One forked process and the one file it works on: limits lowered, the command done, the end.

Knows the commands `load`, `read` and `render`, and how progress and results are told; knows nothing
of forking (`nursery`) and of the other side (`sandbox`). The process opens no connection and starts
no process. What it does to its own state ends with it: the next file gets another process.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from ingest.limits import ParseLimits
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import KbError, ParseInterrupted, ParserFailed
from kb_service.domain.jobs import Progress

MAX_RESULT_BYTES = 2 << 30
MAX_OPEN_FILES = 256
LOWEST_PRIORITY = 19

_REFUSED = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec",
            "os.fork", "os.forkpty", "os.posix_spawn")  # fmt: skip
_PR_SET_PDEATHSIG = 1
Request = Mapping[str, Any]


def work(request: Request, limits: ParseLimits, answers: socket.socket) -> NoReturn:
    """Do one request in this process, tell how it went, and end the process."""
    _die_with_the_parent()
    _restrict(request, limits)
    _send(answers, _served(request, limits, answers))
    os._exit(0)


def _die_with_the_parent() -> None:
    """Where the system can do that: the parent ends its children itself unless it was killed."""
    set_option = getattr(ctypes.CDLL(None), "prctl", None)
    if set_option is not None:
        set_option(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _restrict(request: Request, limits: ParseLimits) -> None:
    """Lower the process limits and refuse connections and processes from here on."""
    folder = str(Path(request["result"]).parent)
    os.chdir(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    size = request["size_bytes"]
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits.cpu_budget_s(size)),
        (resource.RLIMIT_AS, limits.memory_budget_bytes(size)),
        (resource.RLIMIT_FSIZE, MAX_RESULT_BYTES),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ):
        hard = resource.getrlimit(kind)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (allowed, hard))
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: object) -> None:
    if event in _REFUSED:
        raise PermissionError(f"{event} is not allowed while a file is parsed")


def _served(request: Request, limits: ParseLimits, answers: socket.socket) -> dict[str, object]:
    try:
        _obey(request, limits, answers)
    except KbError as error:
        return failure(error)
    except MemoryError:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))  # there must be room to tell of it
        allowed = limits.memory_budget_bytes(request["size_bytes"])
        return failure(out_of_memory(request["name"], allowed))
    return {"result": True}


def _obey(request: Request, limits: ParseLimits, answers: socket.socket) -> None:
    try:
        _COMMANDS[request["command"]](request, limits, answers)
    except (KbError, MemoryError):
        raise
    except Exception as error:
        raise ParserFailed.of(request["name"], error) from error


def failure(error: KbError) -> dict[str, object]:
    """Return an error as the message that ends a request."""
    return {"error": {"kind": type(error).__name__, **error.as_dict()}}


def out_of_memory(name: str, allowed_bytes: int) -> ParseInterrupted:
    """Return the error for a file that needs more memory than it may have."""
    return ParseInterrupted(
        f"{name} needs more than the {allowed_bytes} bytes of memory for a file of its size",
        code="parse_memory",
        details={"memory_bytes": allowed_bytes},
    )


def _load(request: Request, limits: ParseLimits, answers: socket.socket) -> None:
    from ingest.chosen_encoding import with_charset
    from ingest.loaders import DocumentLoader
    from ingest.members import MemberFolder
    from ingest.page_reading import ReadingFolder
    from ingest.parsed_file import members_beside, write_parsed

    readings = ReadingFolder(Path(request["readings"])) if request["readings"] else None
    result = Path(request["result"])
    members = MemberFolder(members_beside(result), limits)
    steps = DocumentLoader(limits, readings, members).load(
        Path(request["path"]),
        request["name"],
        with_charset(request["media_type"], request["charset"]),
    )
    for step in steps:
        if isinstance(step, Progress):
            _send(answers, {"progress": [step.done, step.total]})
        elif isinstance(step, ParsedDocument):
            write_parsed(step, result)


def _read(request: Request, limits: ParseLimits, answers: socket.socket) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST_PRIORITY)  # seconds a page: questions go first
    from ingest.ocr import RapidReader
    from ingest.page_reading import ReadingFolder
    from ingest.picture_reading import read_pages

    steps = read_pages(
        Path(request["path"]),
        request["name"],
        request["media_type"],
        request["page_numbers"],
        RapidReader(),
        limits,
    )
    readings = ReadingFolder(Path(request["readings"]))
    for done, (number, reading) in enumerate(steps, start=1):
        readings.add(number, reading)
        _send(answers, {"progress": [done, len(request["page_numbers"])]})


def _render(request: Request, limits: ParseLimits, _answers: socket.socket) -> None:
    from ingest.page_picture import render_page

    picture = render_page(
        Path(request["path"]),
        request["page_number"],
        [tuple(box) for box in request["boxes"]],
        request["scale"],
        limits,
        [tuple(box) for box in request["hidden"]],
    )
    Path(request["result"]).write_bytes(picture)


_COMMANDS = {"load": _load, "read": _read, "render": _render}


def _send(answers: socket.socket, message: dict[str, object]) -> None:
    answers.sendall(json.dumps(message).encode() + b"\n")
