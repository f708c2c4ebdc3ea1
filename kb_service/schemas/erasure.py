"""What is said about a deletion: its receipt, and where what is left was looked for."""

from typing import Annotated

from pydantic import Field

from kb_service.domain.erasure import Erasure
from kb_service.schemas.documents import Shape, Time


class ReceiptBody(Shape):
    """What went, as hashes and numbers."""

    deleted_at: Time
    files: list[str]
    texts: list[str]
    num_rows: dict[str, int]


class PlaceBody(Shape):
    """A place that was looked at, and what was found in it."""

    name: str
    num_looked: int
    found: list[str]
    shared: list[str]


class ErasureBody(Shape):
    """Whether anything of a document is left."""

    document_id: str
    is_complete: bool
    receipt: Annotated[ReceiptBody | None, Field(description="Null: it was not deleted.")]
    places: list[PlaceBody]


def erasure_body(erasure: Erasure) -> ErasureBody:
    """Convert a look for what is left."""
    return ErasureBody.of(erasure)
