"""The two implementations of the index port, opened over one source as other processes would."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kb_service.domain.ports import EmbeddingProfile, IndexSource
from retrievers.absent import NO_VECTORS
from retrievers.index import Answer, Index, Indexes
from retrievers.library import IndexLibrary
from retrievers.turns import FileTurns, Turns
from tests.retrievers.memory_source import KB, LetterEmbedder

KINDS = ("segments", "milvus")
NO_MILVUS = "the client and the local engine of Milvus are not installed (extras milvus and dev)"


@dataclass
class Engine:
    """One implementation over a source; every `open` is another process's view of the same."""

    kind: str
    source: IndexSource
    folder: Path
    url: str = ""
    profile: EmbeddingProfile = field(default_factory=lambda: LetterEmbedder().profile)
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(6)}")
    opened: list[Indexes] = field(default_factory=list)
    turns: Turns | None = None
    timeout_s: float = 20.0

    def open(self) -> Indexes:
        """Open the indexes anew."""
        if self.kind == "segments":
            made: Indexes = IndexLibrary(self.source, self.profile, self.folder / "index")
        else:
            made = self._milvus()
        self.opened.append(made)
        return made

    def ask(self, question: Callable[[Index], Answer], kb_id: str = KB) -> Answer:
        """Ask the indexes that were opened last; those of a base that has something."""
        indexes = self.opened[-1] if self.opened else self.open()
        answer = indexes.ask(kb_id, question)
        assert answer is not None
        assert indexes.outage() is None
        return answer

    def close(self) -> None:
        """Close everything."""
        for indexes in self.opened:
            indexes.close()

    def _milvus(self) -> Indexes:
        from retrievers.milvus.connection import MilvusConnection
        from retrievers.milvus.library import MilvusLibrary

        connection = MilvusConnection(self.url, "", self.prefix, self.timeout_s)
        standby = IndexLibrary(self.source, NO_VECTORS, self.folder / "index")
        turns = self.turns or FileTurns(self.folder / "turns")
        return MilvusLibrary(self.source, self.profile, connection, turns, standby)


@contextmanager
def engines(
    kinds: Sequence[str], source: IndexSource, folder: Path, url: str
) -> Iterator[list[Engine]]:
    """Open one engine of each kind over the same source."""
    made = [Engine(kind, source, folder / kind, url) for kind in kinds]
    try:
        yield made
    finally:
        for engine in made:
            engine.close()


class Server:
    """A Milvus in a process of its own that can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = "import sys; from milvus_lite.cmdline import main; sys.exit(main(sys.argv[1:]))"
        address = ["--host", "127.0.0.1", "--port", str(self._port)]
        command = [sys.executable, "-c", program, "server", "--data-dir", str(self._folder)]
        self._process = subprocess.Popen(
            [*command, *address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(0.2)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
