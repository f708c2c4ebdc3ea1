"""One base that Milvus cannot use, and the others beside it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kb_service.domain.errors import StorageError
from retrievers.failures import IndexFailed
from retrievers.turns import FileTurns
from tests.retrievers.memory_source import LetterEmbedder

BAD, GOOD = "kb_bad", "kb_good"


class Heads:
    """A source of bases with one change each. `unreadable`: a base that raises, and how."""

    def __init__(self) -> None:
        self.unreadable: dict[str, StorageError] = {}

    def head(self, kb_id: str) -> int:
        if kb_id in self.unreadable:
            raise self.unreadable[kb_id]
        return 1

    def changes(self, _kb_id: str, _after: int) -> list[object]:
        return []


class Words:
    """Stands by."""

    def ask(self, *_arguments: object) -> str:
        return "words"

    def follow(self) -> None:
        pass


class Milvus:
    """What the library needs of a Milvus; `is_alive` is whether it answers."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        from retrievers.milvus import library as module

        self.is_alive, self.source = True, Heads()
        patch.setattr(module.Generation, "find", self._find)
        patch.setattr(module, "MilvusIndex", lambda _connection, generation: generation)
        connection: Any = SimpleNamespace(version=self._version, close=lambda: None, url="there")
        connection.writing_while = lambda _check: connection
        source: Any = self.source
        words: Any = Words()
        profile = LetterEmbedder().profile
        self.library = module.MilvusLibrary(source, profile, connection, FileTurns(folder), words)

    def _version(self) -> str:
        if not self.is_alive:
            raise IndexFailed("no answer")
        return "1"

    def _find(self, _connection: object, kb_id: str, _profile: object) -> object:
        if kb_id == BAD or not self.is_alive:
            raise IndexFailed(f"{kb_id} has lost its state")
        return SimpleNamespace(state=SimpleNamespace(seq=1, is_settled=True))

    def ask(self, kb_id: str) -> str | None:
        return self.library.ask(kb_id, lambda _index: "milvus")

    def outage(self) -> str | None:
        found = self.library.outage()
        return found and found.code


@pytest.fixture
def milvus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Milvus:
    return Milvus(monkeypatch, tmp_path)


def test_a_base_that_fails_leaves_the_others_in_milvus(milvus: Milvus) -> None:
    assert milvus.ask(BAD) == "words"
    assert milvus.outage() == "index_behind"
    assert milvus.ask(GOOD) == "milvus"
    milvus.library.follow([BAD, GOOD])
    assert milvus.outage() == "index_behind"
    assert milvus.ask(GOOD) == "milvus"


def test_a_milvus_that_is_away_is_left_alone_for_every_base(milvus: Milvus) -> None:
    assert milvus.ask(GOOD) == "milvus"
    milvus.is_alive = False
    assert milvus.ask(BAD) == "words"
    assert milvus.outage() == "index_unavailable"
    assert milvus.ask(GOOD) == "words"


def test_a_base_that_cannot_be_read_does_not_keep_the_next_from_being_followed(
    milvus: Milvus,
) -> None:
    milvus.source.unreadable[BAD] = StorageError("a text is damaged", code="text_damaged")
    with pytest.raises(StorageError, match="a text is damaged"):
        milvus.library.follow([BAD, GOOD])
    assert GOOD in milvus.library._open
