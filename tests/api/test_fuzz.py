"""Nothing that a client can send is answered 5xx: every operation of the schema, fuzzed."""

from collections.abc import Iterator
from typing import TypedDict

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from api.app import ROUTERS, create_app
from kb_service.settings import Settings
from tests.api.conftest import BASE_URL, PDF_BYTES
from tests.api.service import ApiService

CALLS_PER_OPERATION = 10
HEADERS = {"host": BASE_URL.removeprefix("http://")}
ENDLESS = "GET /kb/{kb}/events"
"""Streams for as long as its base exists."""
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def cases() -> Iterator[tuple[str, GenerationMode]]:
    """Yield each operation with valid values, and with invalid ones where a value can be wrong."""
    for route in ROUTES:
        for method in sorted(route.methods):
            yield f"{method} {route.path}", GenerationMode.POSITIVE
            if route.body_field or route.dependant.query_params:
                yield f"{method} {route.path}", GenerationMode.NEGATIVE


@schemathesis.serializer("application/zip")
def as_archive(_: object, value: object) -> bytes:
    """Whatever stands for an archive, as bytes: none that the service can read."""
    return value if isinstance(value, bytes) else repr(value).encode()


class World(TypedDict):
    """A schema over an application with one ingested document, and that document's address."""

    schema: schemathesis.BaseSchema
    address: dict[str, str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A schema over an application with one ingested document, and that document's address."""
    service = ApiService(Settings(data_dir=tmp_path_factory.mktemp("fuzz")))
    base = service.catalog.bases.create("reports")
    staged = service.blobs.stage(PDF_BYTES, 1000)
    upload = service.catalog.documents.register(
        base.id, "a.pdf", staged, media_type="application/pdf"
    )
    service.ingest(["one", "two"])
    schema = schemathesis.openapi.from_asgi(
        "/openapi.json", create_app(service.services), headers=HEADERS
    )
    yield {"schema": schema, "address": {"kb": "reports", "document": upload.document.id}}
    service.database.close()


@pytest.mark.parametrize(("operation", "mode"), cases())
def test_no_request_of_any_operation_is_answered_5xx(
    world: World, operation: str, mode: GenerationMode
) -> None:
    method, path = operation.split()
    schema, address = world["schema"], world["address"]

    @settings(
        max_examples=CALLS_PER_OPERATION,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=schema[path][method.lower()].as_strategy(generation_mode=mode),
        is_known=st.booleans(),
    )
    def call(case: schemathesis.Case, is_known: bool) -> None:
        if operation == ENDLESS:
            case.path_parameters = {"kb": "absent"}
        elif is_known and method != "DELETE":
            case.path_parameters |= {
                name: address[name] for name in case.path_parameters if name in address
            }
        check(case.call(headers=HEADERS))

    call()


def check(response: schemathesis.Response) -> None:
    """Fail for a 5xx and for an error that is not of the one shape."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.json()["error"].keys() >= {"code", "message", "details", "request_id"}
