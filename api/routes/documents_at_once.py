"""Many documents of a base at once: tagged, deleted. Their labels are `labels`'."""

from fastapi import APIRouter

from api.dependencies import Base, ServicesParam, ShownParam
from api.json_route import JsonRoute
from api.label_inputs import DocumentsDelete, TagsPut
from kb_service.schemas.labels import NumDocumentsBody

router = APIRouter(route_class=JsonRoute, tags=["documents"])


@router.post("/kb/{kb}/documents/tags")
def put_tags(
    base: Base, body: TagsPut, services: ServicesParam, shown: ShownParam
) -> NumDocumentsBody:
    """Give documents tags and take others away, in one step, with what came out of them."""
    stored = tuple(services.documents.tags(base.id))
    add, remove = (
        [shown.kept(base.id, tag, stored) for tag in sent] for sent in (body.add, body.remove)
    )
    number = services.documents.retag(base.id, body.documents, add, remove)
    return NumDocumentsBody(num_documents=number)


@router.post("/kb/{kb}/documents/delete")
def delete_documents(
    base: Base, body: DocumentsDelete, services: ServicesParam
) -> NumDocumentsBody:
    """Delete documents; from then on nothing of them is found. Those that are gone are left out."""
    number = services.documents.delete_all(base.id, body.documents)
    return NumDocumentsBody(num_documents=number)
