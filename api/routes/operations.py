"""For operators: liveness, readiness with reasons, metrics.

Answers without a key but for the metrics; shows no name and no text of any document.
"""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from api.dependencies import MetricsParam, ServicesParam
from api.json_route import JsonRoute
from kb_service.domain.answers import GeneratorInfo
from kb_service.domain.errors import KbError

router = APIRouter(route_class=JsonRoute, tags=["operations"])


class GeneratorBody(BaseModel):
    """Which model answers; the notices are for people."""

    kind: str
    name: str
    notice_en: str
    notice_zh: str


class StorageBody(BaseModel):
    """Whether things can be stored: `code` is null, or a code of the error table or `disk_low`."""

    code: str | None
    message: str


class ReadinessBody(BaseModel):
    """`reasons` for people and their `codes`, by part; `generator` is null while it is loading.

    `status` is `degraded` when another model answers or finds than the configured one, and when
    questions are answered while nothing can be stored, or soon cannot. `paused` changes it not: 1
    under `service` when no worker takes jobs, and of how many `bases` none does.
    """

    status: str
    reasons: dict[str, str]
    codes: dict[str, str]
    generator: GeneratorBody | None
    storage: StorageBody
    paused: dict[str, int]


@router.get("/healthz")
async def health() -> dict[str, str]:
    """Answer while the process lives."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=ReadinessBody,
    responses={503: {"model": ReadinessBody, "description": "Not ready"}},
)
def readiness(services: ServicesParam) -> Response:
    """Say whether questions can be answered now, and if not why."""
    found = services.readiness.status()
    problems = {**found.impaired, **found.missing}
    status = "degraded" if found.impaired else "ready"
    body: dict[str, Any] = {
        "status": "not_ready" if found.missing else status,
        "reasons": {part: error.message for part, error in problems.items()},
        "codes": {part: error.code for part, error in problems.items()},
        "generator": generator_body(found.generator) if found.generator else None,
        "storage": storage_body(found.trouble),
        "paused": {} if "database" in found.missing else services.jobs.num_paused(),
    }
    return JSONResponse(body, 503 if found.missing else 200)


def storage_body(trouble: KbError | None) -> dict[str, str | None]:
    """Return whether things can be stored."""
    if trouble is None:
        return {"code": None, "message": ""}
    return {"code": trouble.code, "message": trouble.message}


def generator_body(info: GeneratorInfo) -> dict[str, str]:
    """Return which model answers."""
    return {
        "kind": info.kind,
        "name": info.name,
        "notice_en": info.notice_en,
        "notice_zh": info.notice_zh,
    }


@router.get("/metrics", response_class=Response)
def show_metrics(metrics: MetricsParam) -> Response:
    """Return the metrics in the Prometheus text format."""
    return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
