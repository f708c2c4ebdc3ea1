"""The published schema says every limit that the code enforces, and none that it does not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from api.app import create_app
from kb_service.settings import RetrievalSettings, Settings
from tests.api.conftest import BASE_URL
from tests.api.service import ApiService, sample_answer, sample_audit
from tests.api.test_fuzz import ENDLESS, HEADERS, ROUTES, World, world

__all__ = ["world"]

CALLS_PER_OPERATION = 40
REFUSALS = {400, 413, 414, 415, 422, 431}
BEYOND_A_SCHEMA = {
    "invalid_cursor": "opaque: one that the service gave out",
    "invalid_boxes": "the second corner is not before the first",
    "invalid_messages": "the order of messages",
    "invalid_tools": "a call of a tool that is offered",
    "unsupported_parameter": "depends on the model",
    "dimensions_out_of_range": "depends on the model",
    "all_files_rejected": "the content of the files",
    "invalid_tags": "the content of a text field",
    "invalid_as_of": "a moment: a number of a change, or a time as text",
    "as_of_in_future": "depends on what the base has seen",
    "as_of_before_base": "depends on when the base began",
    "as_of_purged": "depends on what is kept",
    "as_of_without_facts": "depends on the filters",
    "unknown_encoding": "an encoding has many names",
    "webhook_not_allowed": "depends on the settings",
    "invalid_schedule": "a year at most, whether in minutes or in hours",
    "not_a_text": "the format of the document",
    "invalid_query": "which parts of a query go together",
    "archive_damaged": "the content of the archive",
    "no_files": "a list that the generator writes as one text",
}
"""Codes of what lies between values, in their content or in what is stored, with the reason."""
IN_A_TEXT_FIELD = {("POST /kb/{kb}/documents", "invalid_label")}
"""Calls that take as JSON in a text field what others take as JSON, which a schema can limit."""

ACROSS_FIELDS = (
    "expected date_from not later than date_to",
    "expected min not above max",
    "expected time_from earlier than time_to",
    "either a question or a query is accepted",
    "expected max_tokens and max_completion_tokens to be the same",
    "expected logprobs to be true where top_logprobs is given",
    "expected stream to be true where include_usage is",
)
OPERATIONS = [
    f"{method} {route.path}"
    for route in ROUTES
    for method in sorted(route.methods)
    if (route.body_field or route.dependant.query_params or "documents" in route.path)
    and f"{method} {route.path}" != ENDLESS
    and method != "DELETE"
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_the_schema_allows_is_refused_for_no_limit(world: World, operation: str) -> None:
    method, path = operation.split()

    @settings(
        max_examples=CALLS_PER_OPERATION,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=world["schema"][path][method.lower()].as_strategy(
            generation_mode=GenerationMode.POSITIVE
        )
    )
    def call(case: schemathesis.Case) -> None:
        case.path_parameters |= {
            name: world["address"][name]
            for name in case.path_parameters
            if name in world["address"]
        }
        response = case.call(headers=HEADERS)
        if response.status_code in REFUSALS:
            error = response.json()["error"]
            is_across = any(rule in json.dumps(error) for rule in ACROSS_FIELDS)
            is_in_a_text = (operation, error["code"]) in IN_A_TEXT_FIELD
            is_beyond = is_across or is_in_a_text or error["code"] in BEYOND_A_SCHEMA
            assert is_beyond, (operation, error)

    call()


VALID: dict[str, tuple[str, dict[str, Any]]] = {
    "KnowledgeBaseInput": ("/kb", {"name": "x"}),
    "SearchInput": ("/kb/reports/search", {"query": "x"}),
    "AskInput": ("/kb/reports/ask", {"question": "x"}),
    "FeedbackInput": ("/answers/ans_1/feedback", {"rating": "up"}),
    "EmbeddingInput": ("/v1/embeddings", {"model": "counting", "input": "x"}),
    "ChatInput": (
        "/v1/chat/completions",
        {"model": "tiny", "messages": [{"role": "user", "content": "x"}]},
    ),
}


def shapes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a schema and what it offers instead."""
    yield schema
    for other in schema.get("anyOf", ()):
        yield from shapes(other)


def outside(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield values just outside each limit of a property."""
    for shape in shapes(schema):
        if "minimum" in shape:
            yield shape["minimum"] - 1
        if "maximum" in shape and shape["maximum"] < 2**60:
            yield shape["maximum"] + 1
        if shape.get("minLength"):
            yield ""
        if "maxLength" in shape:
            yield "x" * (shape["maxLength"] + 1)
        if "pattern" in shape and shape["type"] == "string":
            yield "\x00" if "u0000" in shape["pattern"] else " "
        if shape.get("minItems"):
            yield []
        if "maxItems" in shape and "items" in shape and "$ref" not in shape["items"]:
            yield ["x"] * (shape["maxItems"] + 1)


def inside(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield values at each limit of a property."""
    for shape in shapes(schema):
        for limit in ("minimum", "maximum"):
            if limit in shape:
                yield shape[limit]
        if shape.get("type") == "integer":
            yield float(shape.get("minimum", 1))
        if "maxLength" in shape and shape["maxLength"] <= 10_000:
            yield "泵" * shape["maxLength"]


def published(client: TestClient) -> dict[str, dict[str, Any]]:
    """Return the properties of each input that the schema describes."""
    models = client.get("/openapi.json").json()["components"]["schemas"]
    return {model: models[model]["properties"] for model in VALID}


LOOKED_UP = {("AskInput", "conversation_id"), ("AskInput", "as_of")}
"""Refused by the storage, which these tests' answering does not ask."""


@pytest.fixture(autouse=True)
def answered(service: ApiService, kb_id: str) -> None:
    """An answer to give feedback on."""
    service.answers.save_turn(sample_answer(kb_id), sample_audit())


@pytest.mark.parametrize("model", VALID)
def test_past_each_published_limit_a_value_is_refused(client: TestClient, model: str) -> None:
    path, valid = VALID[model]
    num_tried = 0
    for name, schema in published(client)[model].items():
        for value in outside(schema) if (model, name) not in LOOKED_UP else ():
            num_tried += 1
            response = client.post(path, json={**valid, name: value})
            assert response.status_code in REFUSALS, (name, value, response.text)
    assert num_tried >= 1


ON_CONDITIONS = {"dimensions", "top_logprobs", "model", "input", "as_of"}
"""Where a value at the limit asks for something else beside it."""


@pytest.mark.parametrize("model", VALID)
def test_at_each_published_limit_a_value_is_taken(client: TestClient, model: str) -> None:
    path, valid = VALID[model]
    for name, schema in published(client)[model].items():
        for value in inside(schema) if name not in ON_CONDITIONS else ():
            response = client.post(path, json={**valid, name: value})
            assert response.status_code not in REFUSALS, (name, value, response.text)


def test_limits_of_the_settings_are_published(tmp_path: object, client: TestClient) -> None:
    limits = RetrievalSettings(max_question_chars=7, max_top_k=3)
    service = ApiService(Settings(data_dir=tmp_path, retrieval=limits))  # type: ignore[arg-type]  # pydantic converts
    found = published(TestClient(create_app(service.services), base_url=BASE_URL))
    for model, name in (("AskInput", "question"), ("SearchInput", "query")):
        assert found[model][name]["maxLength"] == 7
        assert found[model]["top_k"]["anyOf"][0]["maximum"] == 3
    assert published(client)["AskInput"]["question"]["maxLength"] == 2000
    service.database.close()


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x"])
def test_query_parameters_are_held_to_their_published_range(client: TestClient, query: str) -> None:
    schema = client.get("/openapi.json").json()["paths"]["/kb"]["get"]["parameters"]
    (limit,) = [item["schema"] for item in schema if item["name"] == "limit"]
    assert (limit["minimum"], limit["maximum"]) == (1, 1000)
    assert client.get(f"/kb?{query}").status_code == 422


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [
        ("2024-05-01", True),
        ("2024-05-01T12:00:00Z", True),
        ("2024-05-01t12:00:00z", True),
        ("2024-05-01T12:00:00.123456789+08:00", True),
        ("2016-12-31T23:59:60Z", True),
        ("yesterday", False),
        ("2024-13-01", False),
    ],
)
def test_every_time_of_the_published_formats_is_read(
    client: TestClient, value: str, is_taken: bool
) -> None:
    body = {"query": "x", "filters": {"date_from": value}}
    response = client.post("/kb/reports/search", content=json.dumps(body), headers=JSON)
    assert (response.status_code == 200) is is_taken, response.text


JSON = {"content-type": "application/json"}
