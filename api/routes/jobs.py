"""Ingest jobs: show, retry, cancel. What a job does is the worker's."""

from fastapi import APIRouter

from api.dependencies import ServiceParam
from api.json_route import JsonRoute
from api.schema import Id
from kb_service.schemas.documents import JobBody, job_body

router = APIRouter(route_class=JsonRoute, tags=["jobs"])


@router.get("/jobs/{job}")
def show_job(job: Id, service: ServiceParam) -> JobBody:
    """Show a job."""
    return job_body(service.jobs.get(job))


@router.post("/jobs/{job}/retry")
def retry_job(job: Id, service: ServiceParam) -> JobBody:
    """Queue a failed, dead or cancelled job again; 409 otherwise."""
    return job_body(service.jobs.retry(job))


@router.post("/jobs/{job}/cancel")
def cancel_job(job: Id, service: ServiceParam) -> JobBody:
    """Cancel an unfinished job; 409 when it has ended."""
    return job_body(service.jobs.cancel(job))
