"""Deletions: the receipt of one, and whether anything of the document is left."""

from fastapi import APIRouter

from api.dependencies import Base, ServicesParam
from api.json_route import JsonRoute
from api.schema import Id
from kb_service.schemas.erasure import ErasureBody, erasure_body

router = APIRouter(route_class=JsonRoute, tags=["documents"])


@router.get("/kb/{kb}/deletions/{document}")
def show_deletion(base: Base, document: Id, services: ServicesParam) -> ErasureBody:
    """Look for what is left of a deleted document of this base."""
    return erasure_body(services.erasing.check(document, base.id))
