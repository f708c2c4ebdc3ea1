"""Ingest jobs: show, retry, cancel. What a job does is the worker's."""

from fastapi import APIRouter

from api.dependencies import ServicesParam
from api.json_route import JsonRoute
from api.schema import Id
from kb_service.schemas.documents import JobBody

router = APIRouter(route_class=JsonRoute, tags=["jobs"])


@router.get("/jobs/{job}")
def show_job(job: Id, services: ServicesParam) -> JobBody:
    """Show a job."""
    return JobBody.of(services.jobs.show(job))


@router.post("/jobs/{job}/retry")
def retry_job(job: Id, services: ServicesParam) -> JobBody:
    """Queue a failed, dead or cancelled job again; 409 otherwise."""
    return JobBody.of(services.jobs.retry(job))


@router.post("/jobs/{job}/cancel")
def cancel_job(job: Id, services: ServicesParam) -> JobBody:
    """Cancel an unfinished job; 409 when it has ended."""
    return JobBody.of(services.jobs.cancel(job))
