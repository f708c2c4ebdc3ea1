"""What a question costs: its text is read once, stored text is not cut, and size costs nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.ask_costs import (
    IDENTIFIED,
    PLAIN,
    Costs,
    costs_of,
    fill,
    made_up_text,
    opened,
)
from kb_service.operations import Services
from kb_service.parts import ServiceParts
from kb_service.services.asking import AskRequest
from kb_service.services.searching import SearchRequest
from kb_service.storage.revisions.pieces import PIECE_CHARS

NUM_LONG_CHARS = 200_000
Opened = tuple[ServiceParts, Services]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The real services over a small base, a large one, and one with a long document."""
    folder: Path = tmp_path_factory.mktemp("costs")
    with opened(folder) as (parts, services):
        for size in (20, 60):
            kb_id = services.bases.create(f"{size} documents").id
            fill(parts, kb_id, {f"{n}.txt": made_up_text(800, n) for n in range(1, size + 1)})
        long = made_up_text(NUM_LONG_CHARS)
        fill(parts, services.bases.create("long").id, {"long.txt": long})
        yield parts, services


def asked(service: Opened, base: str, question: str) -> Costs:
    """The costs of an answer without its places on pages: one query and row a citation."""
    parts, services = service
    request = AskRequest(base, question)
    num_citations = len(services.answering().ask(request).citations)
    assert num_citations
    costs = costs_of(parts, question, lambda: services.answering().ask(request))
    costs.num_queries -= num_citations
    costs.num_rows -= num_citations
    return costs


@pytest.mark.parametrize("question", [IDENTIFIED, PLAIN])
def test_a_question_is_normalised_once_and_no_stored_text_is_cut(
    service: Opened, question: str
) -> None:
    costs = asked(service, "20 documents", question)
    assert (costs.num_normalised, costs.num_cut) == (1, 0)


@pytest.mark.parametrize("question", [IDENTIFIED, PLAIN])
def test_an_answer_costs_the_same_queries_and_rows_in_a_larger_base(
    service: Opened, question: str
) -> None:
    assert asked(service, "60 documents", question) == asked(service, "20 documents", question)


@pytest.mark.parametrize("question", [IDENTIFIED, PLAIN])
def test_a_search_costs_the_same_queries_and_rows_in_a_larger_base(
    service: Opened, question: str
) -> None:
    parts, services = service
    small, large = (
        costs_of(
            parts,
            question,
            lambda base=base: services.searching.search(SearchRequest(base, question)),
        )
        for base in ("20 documents", "60 documents")
    )
    assert large == small
    assert small.num_normalised == 1


def test_a_long_document_is_not_read_whole(service: Opened) -> None:
    """One question read and folded the whole text of each document that it found."""
    parts, services = service
    request = AskRequest("long", IDENTIFIED, top_k=2)
    costs = costs_of(parts, IDENTIFIED, lambda: services.answering().ask(request))
    assert costs.num_rows < NUM_LONG_CHARS // PIECE_CHARS
