"""The docs name every route, parameter and error code; what the code has, a reader can find."""

import ast
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from api import inputs, key_inputs
from api.app import ROUTERS
from api.openai import inputs as openai_inputs
from kb_service.schemas import answers as answer_schemas
from kb_service.schemas import documents as schemas
from kb_service.schemas import keys as key_schemas
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
PACKAGES = ("kb_service", "ingest", "retrievers", "api")
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
CALLS = [f"{method} {route.path}" for route in ROUTES for method in sorted(route.methods)]
PARTS_OF_OTHERS = {"ErrorDetail", "ErrorBody", "ListBody", "UploadBody", "Input"}


def error_codes() -> Iterator[str]:
    """Yield every literal error code in the sources."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield from codes_in(node)


def codes_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.keyword) and node.arg == "code":
        yield from literals(node.value)
    elif isinstance(node, ast.Assign):
        names = {getattr(target, "id", "") for target in node.targets}
        if names & {"default_code", "_CODES"}:
            yield from literals(node.value)


def literals(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.Dict):
        for item in value.values:
            yield from literals(item)


def fields() -> Iterator[str]:
    """Yield every field name that the API takes or gives."""
    for module in (schemas, answer_schemas, key_schemas, inputs, key_inputs, openai_inputs):
        for name, model in vars(module).items():
            is_own = isinstance(model, type) and model.__module__ == module.__name__
            if is_own and name not in PARTS_OF_OTHERS:
                yield from getattr(model, "model_fields", ())


@pytest.mark.parametrize("call", CALLS)
def test_every_route_is_in_the_guide(call: str) -> None:
    assert f"`{call}`" in GUIDE


def test_the_guide_names_no_route_that_does_not_exist() -> None:
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`", GUIDE))
    assert named - {"GET /", "GET /openapi.json"} == set(CALLS)


@pytest.mark.parametrize("code", sorted(set(error_codes())))
def test_every_error_code_is_in_the_guide(code: str) -> None:
    assert f"`{code}`" in GUIDE


def test_the_codes_of_the_sources_were_found() -> None:
    found = set(error_codes())
    assert {"kb_not_found", "internal_error", "disk_full", "invalid_json"} <= found
    assert len(found) > 60


def test_the_guide_names_no_error_code_that_does_not_exist() -> None:
    table = GUIDE[GUIDE.index("| status | codes |") :]
    sources = "".join(
        path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    )
    for code in re.findall(r"`([a-z_]+)`", table):
        assert f'"{code}"' in sources or code.endswith("_out_of_range"), code


@pytest.mark.parametrize("field", sorted(set(fields())))
def test_every_field_is_in_the_guide(field: str) -> None:
    assert re.search(rf"\b{field}\b", GUIDE)


@pytest.mark.parametrize(
    "name",
    sorted({p.alias for route in ROUTES for p in route.dependant.query_params}),
)
def test_every_query_parameter_is_in_the_guide(name: str) -> None:
    assert f"`{name}`" in GUIDE or f"`?{name}=`" in GUIDE
