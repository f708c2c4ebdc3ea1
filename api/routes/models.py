"""GET /v1/models and POST /v1/embeddings: what can be asked by name, and vectors of texts.

A model that is still being loaded is not in the list yet.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from api.dependencies import PrincipalParam, ServicesParam
from api.json_route import JsonRoute
from api.names import SLASH_IN_SEGMENT
from api.openai.bodies import Body, embedding_body, list_body, model_body
from api.openai.inputs import EmbeddingInput
from api.openai.requests import BASE_PREFIX
from kb_service.domain.errors import NotFound
from kb_service.services.models import ServedModels

router = APIRouter(route_class=JsonRoute, tags=["openai"])

STARTED_AT = int(datetime.now().astimezone().timestamp())
"""When a model "was created": the protocol wants a time, and ours are loaded with the process."""


@router.get("/v1/models")
def list_models(who: PrincipalParam, services: ServicesParam) -> dict[str, Any]:
    """List the models by name: the chat model, a model for each base, the embedding model."""
    return list_body(list(bodies(services.models.served(who))))


@router.get("/v1/models/{model}")
def show_model(model: str, who: PrincipalParam, services: ServicesParam) -> dict[str, Any]:
    """Show one model."""
    name = model.replace(SLASH_IN_SEGMENT, "/")
    for body in bodies(services.models.served(who)):
        if body["id"] == name:
            return body
    raise NotFound(f"no model {name!r}", code="model_not_found")


@router.post("/v1/embeddings")
def embed(body: EmbeddingInput, services: ServicesParam) -> dict[str, Any]:
    """Return one vector for each text, as passages are embedded."""
    vectors = services.models.embed(body.model, body.input, body.dimensions)
    as_base64 = body.encoding_format == "base64"
    data = [embedding_body(n, v, as_base64=as_base64) for n, v in enumerate(vectors)]
    # The port counts no tokens.
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return list_body(data) | {"model": body.model, "usage": usage}


def bodies(served: ServedModels) -> Iterator[Body]:
    """Yield every model that can be asked now."""
    if served.chat:
        yield model_body(served.chat, STARTED_AT)
    for base in served.bases:
        yield model_body(f"{BASE_PREFIX}{base.name}", int(base.created_at.timestamp()))
    if served.embedding:
        yield model_body(served.embedding, STARTED_AT)
