"""The pool's port with one real actor in this process: what Ray would carry is carried at once."""

import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ingest.sandbox import told_error
from kb_service.cluster.actor import Actor
from kb_service.cluster.exchange import carry


class NearPool:
    def __init__(self) -> None:
        self.actor = Actor()
        self.calls: list[str] = []

    def call(self, method: str, *arguments: object) -> object:
        assert all(isinstance(value, str | bytes | int) for value in arguments)
        self.calls.append(method)
        return getattr(self.actor, method)(*arguments)

    def ask(self, request: Mapping[str, Any]) -> Generator[dict[str, Any] | None, None, None]:
        with closing(carry(self.call, request, lambda: False)) as messages:
            for message in messages:
                if "error" in message:
                    raise told_error(message["error"])
                yield message

    @contextmanager
    def folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="kb-near-") as folder:
            yield Path(folder)
