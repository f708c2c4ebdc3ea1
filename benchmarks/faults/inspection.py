"""What must be there after a fault, by what was tried and acknowledged; and whether it is.

Knows the public doors and the data folder. An operation that was tried and not acknowledged may
have been done or not, whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.faults.session import Session, content_of


@dataclass
class Expected:
    """Base -> name -> markers that it may hold (None: it may be gone); whether bases and
    conversations may be there; answer id -> its conversation and its text."""

    documents: dict[str, dict[str, set[str | None]]] = field(default_factory=dict)
    bases: dict[str, set[bool]] = field(default_factory=dict)
    conversations: dict[str, set[bool]] = field(default_factory=dict)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def hear(self, event: dict[str, Any]) -> None:
        """Take what a session tells."""
        if event["is"] == "wrong":
            if event["text"] not in self.wrong:
                self.wrong.append(event["text"])
        elif event["is"] == "answered":
            self.answers[event["id"]] = event["conversation"], event["text"]
            self.conversations[event["conversation"]] = {True}
        elif "name" in event:
            self._hear_document(event)
        elif "conversation" in event:
            _hear_presence(self.conversations, event["conversation"], event)
        else:
            _hear_presence(self.bases, event["base"], event)

    def _hear_document(self, event: dict[str, Any]) -> None:
        names = self.documents.setdefault(event["base"], {})
        known = names.get(event["name"], {None})
        marker = event["marker"]
        names[event["name"]] = {marker} if event["is"] == "made" else known | {marker}

    def copy(self) -> "Expected":
        """An equal one that changes by itself."""
        documents = {
            base: {name: set(markers) for name, markers in names.items()}
            for base, names in self.documents.items()
        }
        bases, conversations = (
            {key: set(states) for key, states in known.items()}
            for known in (self.bases, self.conversations)
        )
        return Expected(documents, bases, conversations, dict(self.answers))


def _hear_presence(known: dict[str, set[bool]], key: str, event: dict[str, Any]) -> None:
    is_there = not event.get("gone", False)
    before = known.get(key, {not is_there})
    known[key] = {is_there} if event["is"] == "made" else before | {is_there}


def inspect(session: Session, expected: Expected) -> Iterator[str]:
    """Start as a server and a worker do, finish the jobs, and yield what is wrong."""
    session.start()
    session.work()
    report = session.services.upkeep.verify()
    for flaw in ("lost", "doubled", "orphaned", "mismatched"):
        yield from (f"verify: {flaw}: {text}" for text in report.get(flaw, ()))
    if not report["is_clean"]:
        yield "verify: not clean"
    bases = {item["name"]: item["id"] for item in session.call("GET", "/kb").json()["items"]}
    for base, states in expected.bases.items():
        if (base in bases) not in states:
            yield f"base {base} is {'there' if base in bases else 'gone'}"
    deleted: set[str] = set()
    for base, names in expected.documents.items():
        if base in bases:
            yield from _document_faults(session, base, names, deleted)
    yield from _answer_faults(session, expected, deleted)
    yield from leftovers(session.services.settings.data_dir, set(bases.values()))


def _document_faults(
    session: Session, base: str, names: dict[str, set[str | None]], deleted: set[str]
) -> Iterator[str]:
    documents = session.documents(base) or {}
    yield from (f"{name} was never sent" for name in documents.keys() - names.keys())
    for name, markers in names.items():
        held = None
        if name in documents:
            held = _marker_of(session, base, documents[name], markers)
            if documents[name]["status"] != "ready":
                yield f"{name} is {documents[name]['status']}: {documents[name]['error']}"
        else:
            deleted |= set(filter(None, markers))
        if held not in markers:
            yield f"{name} {'has other content' if name in documents else 'is gone'}"
        for marker in filter(None, markers):
            found = session.found(base, marker)
            if found != ({Path(name).stem} if marker == held else set()):
                yield f"words of {name}, {'live' if marker == held else 'gone'}: found {found}"


def _marker_of(
    session: Session, base: str, document: dict[str, Any], markers: set[str | None]
) -> str | None:
    """The one marker whose bytes are stored and whose words are read; `?` for any other."""
    path = f"/kb/{base}/documents/{document['id']}"
    data = session.call("GET", f"{path}/content").content
    text = session.call("GET", f"{path}/text").text
    held = [marker for marker in filter(None, markers) if content_of(marker) == data]
    return held[0] if held and held[0] in text else "?"


def _answer_faults(session: Session, expected: Expected, deleted: set[str]) -> Iterator[str]:
    for conversation, states in expected.conversations.items():
        response = session.call("GET", f"/conversations/{conversation}")
        is_there = response.status_code == httpx.codes.OK
        if is_there not in states:
            yield f"a conversation is {'there' if is_there else 'gone'}"
        for answer_id, (owner, _) in expected.answers.items():
            if owner == conversation:
                answer = session.call("GET", f"/answers/{answer_id}")
                if (answer.status_code == httpx.codes.OK) != is_there:
                    yield f"an answer is {answer.status_code}, its conversation {is_there}"
                if any(marker in answer.text for marker in deleted):
                    yield "an answer has words of a deleted document"


def leftovers(data_dir: Path, base_ids: set[str]) -> Iterator[str]:
    """Yield what nobody needs where the process that asks is the only one there is."""
    for path in sorted((data_dir / "tmp").glob("staged-*")):
        yield f"left over: tmp/{path.name[:6]}*"
    for folder in sorted((data_dir / "index").glob("*")):
        if folder.name not in base_ids:
            yield "left over: the index of a deleted base"
            continue
        if list(folder.glob("live-*")):
            yield "left over: a private folder inside the index"
        for path in (*folder.glob("build-*"), *folder.glob("*.tmp")):
            yield f"left over: index/*/{path.name[:5]}*"
    num_private = len(list((data_dir / "index-work").glob("*")))
    if num_private > max(len(base_ids), 1):
        yield f"left over: {num_private} private folders of indexes for {len(base_ids)} bases"
