"""Versions of a document: what changed between two, and an earlier one made the newest."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import Base, RevisionName, ServicesParam
from api.inputs import RestoreInput
from api.json_route import JsonRoute
from api.schema import Id
from kb_service.schemas.documents import UploadItemBody, upload_item_body
from kb_service.schemas.versions import ChangesBody, changes_body

router = APIRouter(route_class=JsonRoute, tags=["documents"])


@router.get("/kb/{kb}/documents/{document}/changes")
def show_changes(
    base: Base,
    document: Id,
    services: ServicesParam,
    since: Annotated[Id, Query(description="SHA-256 of the revision that is compared.")],
    revision: RevisionName = None,
) -> ChangesBody:
    """Show the passages in which a revision differs from an earlier one."""
    return changes_body(services.documents.changes(base.id, document, since, revision))


@router.post("/kb/{kb}/documents/{document}/restore", status_code=202)
def restore_version(
    base: Base, document: Id, body: RestoreInput, services: ServicesParam
) -> UploadItemBody:
    """Make an earlier version the newest one; its ingest goes on as a job."""
    return upload_item_body(services.uploads.restore(base.id, document, body.revision))
