"""GET /v1/models and POST /v1/embeddings: what can be asked by name, and vectors of texts.

A model that is still being loaded is not in the list yet.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from api.dependencies import ServiceParam
from api.json_route import JsonRoute
from api.middleware import SLASH_IN_SEGMENT
from api.openai.bodies import Body, embedding_body, list_body, model_body
from api.openai.inputs import EmbeddingInput
from api.openai.requests import BASE_PREFIX
from api.ports import Service
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.services.ranges import check_range

router = APIRouter(route_class=JsonRoute, tags=["openai"])

STARTED_AT = int(datetime.now().astimezone().timestamp())
"""When a model "was created": the protocol wants a time, and ours are loaded with the process."""


@router.get("/v1/models")
def list_models(service: ServiceParam) -> dict[str, Any]:
    """List the models by name: the chat model, a model for each base, the embedding model."""
    return list_body(list(models(service)))


@router.get("/v1/models/{model}")
def show_model(model: str, service: ServiceParam) -> dict[str, Any]:
    """Show one model."""
    name = model.replace(SLASH_IN_SEGMENT, "/")
    for body in models(service):
        if body["id"] == name:
            return body
    raise NotFound(f"no model {name!r}", code="model_not_found")


@router.post("/v1/embeddings")
def embed(body: EmbeddingInput, service: ServiceParam) -> dict[str, Any]:
    """Return one vector for each text, as passages are embedded."""
    profile = service.embedder.profile
    if body.model != profile.name:
        raise NotFound(f"no embedding model {body.model!r}", code="model_not_found")
    check_range("dimensions", body.dimensions, profile.dimension, profile.dimension)
    if not all(text.strip() for text in body.input):
        raise InvalidRequest(
            "input has an empty text; expected at least 1 character in each",
            details={"name": "input"},
        )
    vectors = service.embedder.embed_passages(body.input)
    as_base64 = body.encoding_format == "base64"
    data = [embedding_body(n, v, as_base64=as_base64) for n, v in enumerate(vectors)]
    # The port counts no tokens.
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return list_body(data) | {"model": profile.name, "usage": usage}


def models(service: Service) -> Iterator[Body]:
    """Yield every model that can be asked now."""
    waiting = service.readiness()
    chat = None if "generator" in waiting else service.chatting.info
    if chat:
        yield model_body(chat.name, STARTED_AT)
    yield from base_models(service)
    if "embedder" not in waiting | service.degraded():
        yield model_body(service.embedder.profile.name, STARTED_AT)


def base_models(service: Service) -> Iterator[Body]:
    """Yield a model for each knowledge base."""
    cursor: str | None = None
    while True:
        listing = service.catalog.list_kbs(cursor, 1000)
        for base in listing.items:
            yield model_body(f"{BASE_PREFIX}{base.name}", int(base.created_at.timestamp()))
        cursor = listing.next_cursor
        if cursor is None:
            return
