"""The parsing child: `python -m ingest.child`, JSON lines in and out, one file at a time.

First line in: the limits. Then requests `{"command": "load" | "render", …}`; for each, lines
`{"progress": [done, total]}` and one `{"result": true}` or `{"error": {…}}` come back; the result
itself is written to the file the request names. The child opens no connection, starts no process,
and ends as soon as its input closes, so it never outlives its parent.
"""

import json
import os
import queue
import resource
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from ingest.limits import ParseLimits
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import KbError, ParseInterrupted
from kb_service.domain.jobs import Progress

MAX_RESULT_BYTES = 2 << 30
MAX_OPEN_FILES = 256
_CPU_MARGIN_S = 10
_REFUSED = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec",
            "os.fork", "os.forkpty", "os.posix_spawn")  # fmt: skip


def main() -> None:
    """Serve requests until the input closes."""
    answers = _private_output()
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    limits = ParseLimits(**json.loads(requests.get()))
    _restrict(limits)
    while True:
        request = json.loads(requests.get())
        _allow_cpu(limits)
        _send(answers, _served(request, limits, answers))


def _private_output() -> TextIO:
    """Keep the answer pipe to ourselves: whatever a parser prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _read_requests(requests: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def _restrict(limits: ParseLimits) -> None:
    """Lower the process limits and refuse connections and processes from here on."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
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


def _allow_cpu(limits: ParseLimits) -> None:
    """Let the next request use the processor for as long as the wall-clock limit, and no more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(usage.ru_utime + usage.ru_stime + limits.timeout_s) + _CPU_MARGIN_S
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard == resource.RLIM_INFINITY or allowed < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


def _served(request: Mapping[str, Any], limits: ParseLimits, answers: TextIO) -> dict[str, object]:
    try:
        if request["command"] == "render":
            _render(request, limits)
        else:
            _load(request, limits, answers)
    except KbError as error:
        return {"error": {"kind": type(error).__name__, **error.as_dict()}}
    except MemoryError:
        too_big = ParseInterrupted(
            f"{request['name']} needs more than {limits.memory_bytes} bytes of memory",
            code="parse_memory",
            details={"memory_bytes": limits.memory_bytes},
        )
        return {"error": {"kind": "ParseInterrupted", **too_big.as_dict()}, "last": True}
    return {"result": True}


def _load(request: Mapping[str, Any], limits: ParseLimits, answers: TextIO) -> None:
    from ingest.loaders import DocumentLoader
    from ingest.parsed_file import write_parsed

    steps = DocumentLoader(limits).load(
        Path(request["path"]), request["name"], request["media_type"]
    )
    for step in steps:
        if isinstance(step, Progress):
            _send(answers, {"progress": [step.done, step.total]})
        elif isinstance(step, ParsedDocument):
            write_parsed(step, Path(request["result"]))


def _render(request: Mapping[str, Any], limits: ParseLimits) -> None:
    from ingest.page_picture import render_page

    picture = render_page(
        Path(request["path"]),
        request["page_number"],
        [tuple(box) for box in request["boxes"]],
        request["scale"],
        limits,
    )
    Path(request["result"]).write_bytes(picture)


def _send(answers: TextIO, message: dict[str, object]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
