"""What is said about two versions of a document, made from domain values."""

from kb_service.schemas.documents import Shape, SpanBody
from kb_service.services.documents import Comparison


class ChangedPassageBody(SpanBody):
    """Words of one stored text, with their range in it."""

    text: str


class ChangeBody(Shape):
    """What stood there and what stands there now; null where nothing does."""

    old: ChangedPassageBody | None
    new: ChangedPassageBody | None


class ChangesBody(Shape):
    """In what a revision differs from an earlier one (`since`), in the order of the text."""

    document_id: str
    since: str
    revision: str
    changes: list[ChangeBody]


def changes_body(comparison: Comparison) -> ChangesBody:
    """Convert a comparison."""
    return ChangesBody.of(comparison)
