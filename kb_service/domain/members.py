"""Files inside a file, and words of a file that are not read: Member, Container, Loss.

A path inside a container is data, never a path of this machine. Nested containers are read to a
depth and to totals that are named here.
"""

import re
from collections.abc import Container as Collection
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.names import MAX_NAME_BYTES, composed, numbered

MAX_DEPTH = 5
"""Containers within containers whose files become documents."""
MAX_WITHIN = 5000
"""Documents inside one container, at every depth together."""
MAX_BYTES_WITHIN = 2 << 30
"""Bytes of all of them together."""
MAX_LOSSES = 200
"""Losses that a report names one by one."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_CUT = "…"


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside another: its path there, and where its bytes lie while it is taken in."""

    path: str
    file: Path


@dataclass(frozen=True, slots=True)
class Container:
    """The document that another one came out of, and its path there."""

    document_id: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Loss:
    """What of a file is not read. `where`: in it. `what`: a stable snake_case code.

    `num_words`: None where nobody could count them. `sample`: the reason, or some of the words.
    """

    where: str
    what: str
    num_words: int | None = None
    sample: str = ""


def inner_path(given: str) -> str:
    """Return a path inside a container as it is shown: no root, no way upwards, no controls."""
    steps = _CONTROL.sub("", given.replace("\\", "/")).split("/")
    kept = [step.strip() for step in steps if step.strip() not in ("", ".", "..")]
    return composed("/".join(kept)) or "file"


def own_path(path: str, taken: Collection[str]) -> str:
    """Return the path, numbered where another member has it."""
    found, number = path, 2
    while found in taken:
        found, number = numbered(path, number), number + 1
    return found


def member_name(container_name: str, path: str) -> str:
    """Return what the document of a member is called; a name that is too long loses its front."""
    name = composed(f"{container_name}/{path}")
    data = name.encode()
    if len(data) <= MAX_NAME_BYTES:
        return name
    room = MAX_NAME_BYTES - len(_CUT.encode())
    return _CUT + data[-room:].decode(errors="ignore")


def told(losses: tuple[Loss, ...]) -> tuple[Loss, ...]:
    """Return the losses, those past MAX_LOSSES counted in one."""
    if len(losses) <= MAX_LOSSES:
        return losses
    left = len(losses) - MAX_LOSSES
    return (*losses[:MAX_LOSSES], Loss("", "more_losses", None, f"{left} more"))
