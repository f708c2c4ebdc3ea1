"""What is said about checked questions, made from domain values."""

from kb_service.schemas.documents import Shape


class SuggestionBody(Shape):
    """A question that the documents answer as they are now."""

    question: str
    language: str


class SuggestionListBody(Shape):
    """Checked questions, at most six."""

    items: list[SuggestionBody]
