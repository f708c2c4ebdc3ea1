"""Labels of a base: listed, made, renamed, deleted, put on documents."""

from fastapi import APIRouter

from api.dependencies import Base, PrincipalParam, ServicesParam, Shown, ShownParam
from api.json_route import JsonRoute
from api.label_inputs import LabelChange, LabelInput, LabelsPut, colour_of
from api.names import SLASH_IN_SEGMENT
from api.schema import Id
from kb_service.operations import Services
from kb_service.schemas.labels import LabelBody, LabelListBody, NumDocumentsBody

router = APIRouter(route_class=JsonRoute, tags=["labels"])


@router.get("/kb/{kb}/labels")
def list_labels(base: Base, services: ServicesParam) -> LabelListBody:
    """List the labels of a base by name, with how many documents carry each."""
    return LabelListBody(items=[LabelBody.of(label) for label in services.labels.listed(base.id)])


@router.post("/kb/{kb}/labels", status_code=201)
def create_label(
    base: Base, body: LabelInput, services: ServicesParam, shown: ShownParam
) -> LabelBody:
    """Make a label; 409 when the name is taken."""
    shown.require_open(base.id, body.name, "whether a label is called so")
    colour = colour_of(body.colour)
    return LabelBody.of(services.labels.create(base.id, body.name, colour, body.description))


@router.patch("/kb/{kb}/labels/{label}")
def change_label(
    base: Base, label: Id, body: LabelChange, services: ServicesParam, shown: ShownParam
) -> LabelBody:
    """Rename a label, draw it in another colour or describe it, wherever it is carried."""
    before = services.labels.find(base.id, _key(base.id, label, services, shown))
    name, description = (
        None if sent is None else shown.kept(base.id, sent, [stored])
        for sent, stored in ((body.name, before.name), (body.description, before.description))
    )
    if name is not None and name != before.name:
        shown.require_open(base.id, name, "whether a label is called so")
    colour = None if body.colour is None else colour_of(body.colour)
    return LabelBody.of(services.labels.change(base.id, before.id, name, colour, description))


@router.delete("/kb/{kb}/labels/{label}", status_code=204)
def delete_label(base: Base, label: Id, services: ServicesParam, shown: ShownParam) -> None:
    """Delete a label; no document carries it any more."""
    services.labels.delete(base.id, _key(base.id, label, services, shown))


@router.post("/kb/{kb}/documents/labels")
def put_labels(
    base: Base,
    body: LabelsPut,
    who: PrincipalParam,
    services: ServicesParam,
    shown: ShownParam,
) -> NumDocumentsBody:
    """Give documents labels and take others away, in one step, with what came out of them."""
    add, remove = (
        shown.label_keys(base.id, sent, services.labels.marks) for sent in (body.add, body.remove)
    )
    number = services.labels.put(base.id, body.documents, add, remove, who)
    return NumDocumentsBody(num_documents=number)


def _key(kb_id: str, label: str, services: Services, shown: Shown) -> str:
    (key,) = shown.label_keys(kb_id, [label.replace(SLASH_IN_SEGMENT, "/")], services.labels.marks)
    return key
