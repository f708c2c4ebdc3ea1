"""Labels of a base: listed, made, renamed, deleted, put on documents."""

from fastapi import APIRouter

from api.dependencies import Base, PrincipalParam, ServicesParam, ShownParam
from api.json_route import JsonRoute
from api.label_inputs import LabelChange, LabelInput, LabelsPut, colour_of
from api.names import SLASH_IN_SEGMENT
from api.schema import Id
from kb_service.schemas.labels import LabelBody, LabelListBody, LabelsPutBody

router = APIRouter(route_class=JsonRoute, tags=["labels"])


@router.get("/kb/{kb}/labels")
def list_labels(base: Base, services: ServicesParam) -> LabelListBody:
    """List the labels of a base by name, with how many documents carry each."""
    return LabelListBody(items=[LabelBody.of(label) for label in services.labels.listed(base.id)])


@router.post("/kb/{kb}/labels", status_code=201)
def create_label(base: Base, body: LabelInput, services: ServicesParam) -> LabelBody:
    """Make a label; 409 when the name is taken."""
    colour = colour_of(body.colour)
    return LabelBody.of(services.labels.create(base.id, body.name, colour, body.description))


@router.patch("/kb/{kb}/labels/{label}")
def change_label(
    base: Base, label: Id, body: LabelChange, services: ServicesParam, shown: ShownParam
) -> LabelBody:
    """Rename a label, draw it in another colour or describe it, wherever it is carried."""
    before = services.labels.find(base.id, label.replace(SLASH_IN_SEGMENT, "/"))
    name, description = (
        None if sent is None else shown.kept(base.id, sent, [stored])
        for sent, stored in ((body.name, before.name), (body.description, before.description))
    )
    colour = None if body.colour is None else colour_of(body.colour)
    return LabelBody.of(services.labels.change(base.id, before.id, name, colour, description))


@router.delete("/kb/{kb}/labels/{label}", status_code=204)
def delete_label(base: Base, label: Id, services: ServicesParam) -> None:
    """Delete a label; no document carries it any more."""
    services.labels.delete(base.id, label.replace(SLASH_IN_SEGMENT, "/"))


@router.post("/kb/{kb}/documents/labels")
def put_labels(
    base: Base, body: LabelsPut, who: PrincipalParam, services: ServicesParam
) -> LabelsPutBody:
    """Give documents labels and take others away, in one step, with what came out of them."""
    number = services.labels.put(base.id, body.documents, body.add, body.remove, who)
    return LabelsPutBody(num_documents=number)
