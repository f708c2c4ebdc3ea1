"""The two implementations of the index port, opened over one source as other processes would."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kb_service.domain.ports import EmbeddingProfile, IndexSource
from retrievers.absent import NO_VECTORS
from retrievers.index import Answer, Index, Indexes
from retrievers.library import IndexLibrary
from retrievers.turns import FileTurns
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

        connection = MilvusConnection(self.url, "", self.prefix, 20.0)
        standby = IndexLibrary(self.source, NO_VECTORS, self.folder / "index")
        turns = FileTurns(self.folder / "turns")
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
