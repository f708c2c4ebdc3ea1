"""What a client may send about labels and marks of documents, as strict pydantic models."""

from typing import Annotated

from pydantic import Field

from api.inputs import Input, Tags
from api.schema import A_NAME, STORABLE, Id, one_of, text
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.labels import LabelColour
from kb_service.services.labels import (
    MAX_DOCUMENTS_AT_ONCE,
    MAX_LABEL_CHARS,
    MAX_LABEL_DESCRIPTION_CHARS,
    MAX_LABELS,
)

LabelName = Annotated[str, text(1, MAX_LABEL_CHARS, A_NAME)]
LabelText = Annotated[str, text(0, MAX_LABEL_DESCRIPTION_CHARS, STORABLE)]
Colour = Annotated[str, one_of(LabelColour)]
Named = Annotated[list[LabelName], Field(max_length=MAX_LABELS)]
"""By id or name: an id is as short, and has no other characters."""
DocumentIds = Annotated[list[Id], Field(min_length=1, max_length=MAX_DOCUMENTS_AT_ONCE)]


class LabelInput(Input):
    """Body of POST /kb/{kb}/labels."""

    name: LabelName
    colour: Colour = LabelColour.GREY.value
    description: LabelText = ""


class LabelChange(Input):
    """Body of PATCH /kb/{kb}/labels/{label}; what is absent or null stays."""

    name: LabelName | None = None
    colour: Colour | None = None
    description: LabelText | None = None


class LabelsPut(Input):
    """Body of POST /kb/{kb}/documents/labels: documents by id, labels by id or name."""

    documents: DocumentIds
    add: Named = Field(default_factory=list)
    remove: Named = Field(default_factory=list)


class TagsPut(Input):
    """Body of POST /kb/{kb}/documents/tags: documents by id."""

    documents: DocumentIds
    add: Tags = Field(default_factory=list)
    remove: Tags = Field(default_factory=list)


class DocumentsDelete(Input):
    """Body of POST /kb/{kb}/documents/delete: documents by id."""

    documents: DocumentIds


class DocumentChange(Input):
    """Body of PATCH /kb/{kb}/documents/{document}; what is absent or null stays."""

    tags: Tags | None = None
    labels: Named | None = None


def colour_of(word: str) -> LabelColour:
    """Return a colour by its name. Raises InvalidRequest (invalid_label)."""
    try:
        return LabelColour(word)
    except ValueError as error:
        raise InvalidRequest(
            f"the colour is {word[:100]!r}; {', '.join(LabelColour)} are accepted",
            code="invalid_label",
        ) from error
