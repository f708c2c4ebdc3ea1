"""Fixtures of the retriever's tests: a source in memory and retrievers over one index folder."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrievers.hybrid import HybridRetriever
from tests.retrievers.engines import NO_MILVUS
from tests.retrievers.memory_source import LetterEmbedder, MemorySource

OpenRetriever = Callable[..., HybridRetriever]


@pytest.fixture
def source() -> MemorySource:
    """An empty base."""
    return MemorySource()


@pytest.fixture
def open_retriever(source: MemorySource, tmp_path: Path) -> Iterator[OpenRetriever]:
    """Open a retriever over the source, as another process would; all are closed at the end."""
    opened: list[HybridRetriever] = []

    def open_one(fingerprint: str = "f" * 64, **options: int) -> HybridRetriever:
        embedder = LetterEmbedder(fingerprint)
        opened.append(HybridRetriever(source, embedder, tmp_path / "index", **options))
        return opened[-1]

    yield open_one
    for retriever in opened:
        retriever.close()


@pytest.fixture(scope="session")
def milvus_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of milvus-lite, whose server runs in this process until it ends."""
    pytest.importorskip("pymilvus", reason=NO_MILVUS)
    pytest.importorskip("milvus_lite", reason=NO_MILVUS)
    # Its server says of each call that it lacks one, which the client can do without.
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    return str(tmp_path_factory.mktemp("milvus") / "tests.db")
