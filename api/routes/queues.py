"""Queues of ingest jobs: whether one stands still, paused and resumed."""

from fastapi import APIRouter

from api.dependencies import Base, PrincipalParam, ServicesParam
from api.json_route import JsonRoute
from kb_service.schemas.queues import QueueBody, queue_body

router = APIRouter(route_class=JsonRoute, tags=["jobs"])


@router.get("/kb/{kb}/queue")
def show_queue(base: Base, services: ServicesParam) -> QueueBody:
    """Say whether the queue of a base stands still, and by whom since when."""
    return queue_body(services.jobs.paused(base.id))


@router.post("/kb/{kb}/queue/pause")
def pause_queue(base: Base, who: PrincipalParam, services: ServicesParam) -> QueueBody:
    """Let no worker take a job of a base; running ones go on to their end."""
    return queue_body(services.jobs.pause(base.id, who.name))


@router.post("/kb/{kb}/queue/resume")
def resume_queue(base: Base, services: ServicesParam) -> QueueBody:
    """Let the queue of a base go on; it still stands still where the whole service's does."""
    return queue_body(services.jobs.resume(base.id))


@router.get("/queue")
def show_all_queues(services: ServicesParam) -> QueueBody:
    """Say whether the queues of all bases stand still together."""
    return queue_body(services.jobs.paused(None))


@router.post("/queue/pause")
def pause_all_queues(who: PrincipalParam, services: ServicesParam) -> QueueBody:
    """Let no worker take a job of any base."""
    return queue_body(services.jobs.pause(None, who.name))


@router.post("/queue/resume")
def resume_all_queues(services: ServicesParam) -> QueueBody:
    """Let the queues go on but those of bases that were paused by themselves."""
    return queue_body(services.jobs.resume(None))
