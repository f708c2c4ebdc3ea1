"""Phrases that a model judges records by: accepted by queries over records, and by nothing else."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from kb_service.domain.judged import Fit
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.words_reader import WordsReader
from kb_service.services.answering import AnsweringService
from kb_service.settings import RetrievalSettings
from tests.api.service import ApiService
from tests.services.answer_fakes import WordJudge

Json = dict[str, Any]
_LINE = "Case number: C-{}; Occurred: 2024-0{} 08:00; Account: {}"
LEDGER = [
    _LINE.format(1, "4-02", "slipped in the bath"),
    _LINE.format(2, "4-05", "the wrong box was handed out"),
    _LINE.format(3, "5-11", "unsteady, was held"),
]
FALLS = {"filters": {"meant": ["falls"]}}


@pytest.fixture
def sent(client: TestClient, service: ApiService, kb_id: str) -> TestClient:
    """A base of a ledger, a judge of falls, and answers made as the service makes them."""
    files = [("files", ("ledger.csv", "\n".join(LEDGER).encode()))]
    client.post("/kb/reports/documents", files=files)
    service.ingest(LEDGER)
    service.judge = WordJudge({"falls": {"slipped": Fit.FITS, "unsteady": Fit.OPEN}})
    service.answering = AnsweringService(  # type: ignore[assignment]  # in the place of a script
        retriever=service.retriever,
        find_base=service.catalog.bases.get,
        library=service.catalog.revisions,
        reader=WordsReader(),
        generator=ExtractiveReader(),
        answers=service.answers,
        settings=RetrievalSettings(),
    )
    return client


def posted(client: TestClient, path: str, **asked: object) -> tuple[int, Json]:
    answer = client.post(f"/kb/reports/{path}", json=asked)
    return answer.status_code, answer.json()


def test_a_query_counts_what_a_model_judges(sent: TestClient) -> None:
    status, told = posted(sent, "query", op="count", **FALLS)
    assert status == 200
    assert told["counted"]["matched"] == 1 and told["counted"]["of"] == 3
    assert told["query"]["filters"] == {"meant": ["falls"]}
    assert "judged by a model" in told["answer"] and "1 more incident may be" in told["answer"]
    (row,) = told["table"]["rows"]
    assert "C-1" in [cell["value"] for cell in row["cells"]]
    assert {citation["document_name"] for citation in told["citations"]} == {"ledger.csv"}


def test_the_query_that_was_run_is_accepted_again(sent: TestClient) -> None:
    _, told = posted(sent, "query", op="list", limit=1, **FALLS)
    assert posted(sent, "query", **told["query"])[1]["table"] == told["table"]


def test_its_report_says_that_a_model_judged(sent: TestClient) -> None:
    page = sent.post("/kb/reports/query/report", json={"op": "count", **FALLS})
    assert page.status_code == 200 and "judged by a model" in page.text


def test_a_side_of_a_comparison_accepts_phrases(sent: TestClient) -> None:
    sides = [FALLS["filters"], {"time_to": "2024-04-30"}]
    status, told = posted(sent, "query", op="compare", groups=sides)
    assert status == 200
    assert [row["cells"][1]["value"] for row in told["table"]["rows"]] == [1, 2]


def test_without_a_judge_a_query_is_refused_by_what_it_means(
    sent: TestClient, service: ApiService
) -> None:
    service.judge = None
    status, told = posted(sent, "query", op="count", **FALLS)
    assert (status, told["error"]["code"]) == (422, "invalid_query")
    assert "filters.meant is 'falls'" in told["error"]["message"]
    assert "KB_JUDGE__MODEL" in told["error"]["message"]


@pytest.mark.parametrize("meant", ["falls", [7], {"falls": 1}, ["x"] * 1001])
def test_what_is_no_list_of_phrases_is_refused(sent: TestClient, meant: object) -> None:
    status, _ = posted(sent, "query", op="count", filters={"meant": meant})
    assert status == 422


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("search", {"query": "slipped"}),
        ("ask", {"question": "Who slipped?"}),
        ("ask", {"question": "Who slipped?", "stream": True}),
    ],
)
def test_a_search_and_a_question_refuse_phrases_by_name(
    sent: TestClient, service: ApiService, path: str, asked: Json
) -> None:
    several = {"filters": {"meant": ["falls", "scalds"], "document_ids": ["doc_1"]}}
    status, told = posted(sent, path, **asked, **several)
    assert (status, told["error"]["code"]) == (422, "invalid_query")
    assert "filters.meant is 'falls, scalds'" in told["error"]["message"]
    assert not service.retriever.queries
    assert posted(sent, path, **asked | {"stream": False} if path == "ask" else asked)[0] == 200
