"""One request carried to an actor and what it makes carried back, piece by piece.

Knows the actor's methods and the request's files on this side; knows not how an actor is called.
The far side may have been taken over by a file: it can at worst hand back a wrong result, never
choose where something is written.
"""

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from ingest.child import MAX_RESULT_BYTES, failure
from ingest.parsed_file import members_beside
from kb_service.cluster.actor import PIECE_BYTES
from kb_service.domain.errors import ComputeError

Call = Callable[..., Any]
"""(method of the actor, its arguments) -> what it returns. Raises ComputeError."""

Message = dict[str, object]
_MADE = re.compile(r"result|members/(\d{1,9})|readings/(\d{1,9})\.json")
_OF_THIS_SIDE = ("path", "result", "readings")


def carry(
    call: Call, request: Mapping[str, Any], is_unwanted: Callable[[], bool]
) -> Generator[Message, None, None]:
    """Have an actor do a request; yield messages as a nursery's child does.

    What it makes is written where the request says, before it is told of. Ends without a word when
    nobody wants the result any more; the actor has stopped then.
    """
    try:
        yield from _carried(call, request, is_unwanted)
    except ComputeError as error:
        yield failure(error)


def _carried(
    call: Call, request: Mapping[str, Any], is_unwanted: Callable[[], bool]
) -> Iterator[Message]:
    has_readings = bool(request.get("readings"))
    told = {key: value for key, value in request.items() if key not in _OF_THIS_SIDE}
    call("begin", json.dumps(told | {"readings": has_readings}).encode())
    try:
        for name, path in _given(request):
            for piece in _pieces(path):
                call("put", name, piece)
        while not is_unwanted():
            news = json.loads(call("step"))
            for name, size in news["made"].items():
                _fetch(call, name, int(size), _place(request, name))
            if "error" in news or "result" in news:
                yield {key: news[key] for key in ("error", "result") if key in news}
                return
            yield {"progress": news.get("progress", [0, 0])}
    finally:
        call("stop")


def _given(request: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the files of a request, under the names that an actor knows."""
    if request.get("path"):
        yield ("texts" if request["command"] == "embed" else "file"), Path(request["path"])
    if request.get("readings") and request["command"] == "load":
        for path in sorted(Path(request["readings"]).glob("*.json")):
            yield f"readings/{path.name}", path


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, at least one piece: an empty file is a file."""
    with path.open("rb") as stream:
        piece = stream.read(PIECE_BYTES)
        while True:
            yield piece
            piece = stream.read(PIECE_BYTES)
            if not piece:
                return


def _place(request: Mapping[str, Any], name: str) -> Path:
    """Return where on this side something that was made belongs."""
    match = _MADE.fullmatch(name)
    if match is None:
        raise ComputeError(f"the actor made {name!r}, which nobody asked for")
    member, reading = match.groups()
    if reading and request["command"] == "read":
        return Path(request["readings"]) / f"{reading}.json"
    if reading:
        raise ComputeError(f"the actor made {name!r}, which nobody asked for")
    result = Path(request["result"])
    return members_beside(result) / member if member else result


def _fetch(call: Call, name: str, size: int, place: Path) -> None:
    """Write what was made, as a whole or not at all."""
    if size > MAX_RESULT_BYTES:
        raise ComputeError(f"{name} has {size} bytes, at most {MAX_RESULT_BYTES} are taken")
    place.parent.mkdir(exist_ok=True)
    partial = place.with_name(f"{place.name}.part")
    done = 0
    with partial.open("wb") as stream:
        while done < size:
            piece = call("get", name, done)
            if not piece or done + len(piece) > size:
                raise ComputeError(f"{name} has not the {size} bytes that it was said to have")
            stream.write(piece)
            done += len(piece)
    partial.replace(place)
