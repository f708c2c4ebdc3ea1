"""Index files are asked whether anything of a deleted document is left in them."""

from pathlib import Path

import pytest

from kb_service.domain.errors import StorageError
from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers import live
from retrievers.upkeep import IndexFiles
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, MemorySource


@pytest.fixture
def files(tmp_path: Path) -> IndexFiles:
    return IndexFiles(tmp_path / "index", places=[tmp_path / "index-work"])


@pytest.fixture
def is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every base is too large to be indexed anew whenever something is removed."""
    monkeypatch.setattr(live, "MAX_EXACT_CHUNKS", 0)


def ask(retriever: object) -> None:
    retriever.retrieve(Query(KB, parse_question("valve")))  # type: ignore[attr-defined]


def fill(source: MemorySource) -> None:
    for number in range(12):
        source.put(f"doc_{number}", f"valve number {number}")


def test_a_snapshot_from_before_the_delete_still_holds_the_document(
    source: MemorySource, open_retriever: OpenRetriever, files: IndexFiles
) -> None:
    fill(source)
    retriever = open_retriever()
    retriever.refresh(KB)
    source.delete("doc_3")
    num_looked, found = files.traces(KB, {"doc_3"})
    assert num_looked == 2
    assert [name.split()[0] for name in found] == ["index", "working"]
    assert files.traces(KB, {"doc_99"}) == (2, [])
    assert files.traces("kb_other", {"doc_99"}) == (1, [])


def test_a_small_base_forgets_a_removed_document_with_the_next_question(
    source: MemorySource, open_retriever: OpenRetriever, files: IndexFiles
) -> None:
    fill(source)
    retriever = open_retriever()
    ask(retriever)
    source.delete("doc_3")
    ask(retriever)
    assert files.traces(KB, {"doc_3"})[1] == []


@pytest.mark.usefixtures("is_large")
def test_a_removed_document_stays_in_a_working_copy_that_never_returns_it(
    source: MemorySource, open_retriever: OpenRetriever, files: IndexFiles
) -> None:
    fill(source)
    retriever = open_retriever()
    ask(retriever)
    source.delete("doc_3")
    ask(retriever)
    assert len(files.traces(KB, {"doc_3"})[1]) == 1


@pytest.mark.usefixtures("is_large")
def test_an_index_made_anew_has_forgotten_and_others_follow_with_their_next_question(
    source: MemorySource, open_retriever: OpenRetriever, files: IndexFiles
) -> None:
    fill(source)
    server, worker = open_retriever(), open_retriever()
    worker.refresh(KB)
    ask(server)
    source.delete("doc_3")
    ask(server)
    worker.rebuild(KB)
    assert len(files.traces(KB, {"doc_3"})[1]) == 1  # what the server has open
    ask(server)
    assert files.traces(KB, {"doc_3"})[1] == []


def test_no_snapshot_is_published_that_holds_what_was_deleted(
    source: MemorySource, open_retriever: OpenRetriever, files: IndexFiles, tmp_path: Path
) -> None:
    fill(source)
    retriever = open_retriever()
    retriever.refresh(KB)
    first = {path.name for path in (tmp_path / "index" / KB).glob("gen-*")}
    source.delete("doc_3")
    for number in range(20, 32):
        source.put(f"doc_{number}", f"pump number {number}")
    retriever.refresh(KB)
    held = {name.removeprefix("index ") for name in files.traces(KB, {"doc_3"})[1]}
    assert held <= first  # which the next one made anew takes away
    retriever.rebuild(KB)
    assert files.traces(KB, {"doc_3"})[1] == []


def test_an_index_that_cannot_be_looked_into_is_no_proof(
    source: MemorySource, open_retriever: OpenRetriever, files: IndexFiles, tmp_path: Path
) -> None:
    fill(source)
    open_retriever().refresh(KB)
    for path in (tmp_path / "index" / KB).glob("gen-*/revisions-*.json"):
        path.write_text("no JSON")
    with pytest.raises(StorageError):
        files.traces(KB, {"doc_3"})
