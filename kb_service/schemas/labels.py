"""What is said about labels and folders of documents, made from domain values."""

from kb_service.schemas.documents import Shape, Time


class FolderBody(Shape):
    """A folder; `path` from the base, `totals` by status of all that lie in it at any depth."""

    path: str
    name: str
    num_documents: int
    totals: dict[str, int]
    has_folders: bool


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


class NumDocumentsBody(Shape):
    """How many documents that concerned."""

    num_documents: int
