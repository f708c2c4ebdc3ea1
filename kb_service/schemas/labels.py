"""What is said about labels, made from domain values."""

from kb_service.schemas.documents import Shape, Time


class LabelBody(Shape):
    """A label of a base; `num_documents` carry it."""

    id: str
    name: str
    colour: str
    description: str
    num_documents: int
    created_at: Time


class LabelListBody(Shape):
    """Every label of a base, by name."""

    items: list[LabelBody]


class LabelsPutBody(Shape):
    """How many documents were given labels, what came out of those named among them."""

    num_documents: int
