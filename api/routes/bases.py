"""Knowledge bases: create, list, show, change, delete."""

from fastapi import APIRouter

from api.dependencies import (
    DEFAULT_LIMIT,
    Base,
    Cursor,
    Limit,
    PrincipalParam,
    ServicesParam,
    ShownParam,
)
from api.inputs import KnowledgeBaseChange, KnowledgeBaseInput
from api.json_route import JsonRoute
from api.veiling import masked_error
from kb_service.schemas.documents import KnowledgeBaseBody, ListBody, list_body

router = APIRouter(route_class=JsonRoute, tags=["knowledge bases"])


@router.post("/kb", status_code=201)
def create_base(body: KnowledgeBaseInput, services: ServicesParam) -> KnowledgeBaseBody:
    """Create a knowledge base; 409 when the name is taken."""
    return KnowledgeBaseBody.of(services.bases.create(body.name, body.description))


@router.get("/kb")
def list_bases(
    who: PrincipalParam,
    services: ServicesParam,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> ListBody[KnowledgeBaseBody]:
    """List knowledge bases by name."""
    return list_body(services.bases.list(who, cursor, limit), KnowledgeBaseBody.of)


@router.get("/kb/{kb}")
def show_base(base: Base) -> KnowledgeBaseBody:
    """Show a knowledge base."""
    return KnowledgeBaseBody.of(base)


@router.patch("/kb/{kb}")
def change_base(
    base: Base,
    body: KnowledgeBaseChange,
    who: PrincipalParam,
    services: ServicesParam,
    shown: ShownParam,
) -> KnowledgeBaseBody:
    """Describe a base, say what is masked in it, or rename it, which tells of names taken."""
    if body.name is not None:
        who.require_admin()
    masking = None if body.masking is None else body.masking.to_domain()
    if masking is not None and not who.sees_personal:
        raise masked_error("what is not masked")
    said = body.description
    description = None if said is None else shown.kept(base.id, said, [base.description])
    changed = services.bases.change(base.id, body.name, description, masking)
    return KnowledgeBaseBody.of(changed)


@router.delete("/kb/{kb}", status_code=204)
def delete_base(base: Base, services: ServicesParam) -> None:
    """Delete a knowledge base with everything in it."""
    services.bases.delete(base.id)
