"""What a question in a conversation refers to: a pure rule, no model.

A short question that points back ("它的直接原因呢？", "who led it?") is searched together with the
question before it. Knows the last question only.
"""

from collections.abc import Sequence

from kb_service.domain.chats import ChatMessage
from kb_service.language.follow_ups import points_back
from kb_service.language.identifiers import identifiers_in
from kb_service.language.questions import content_terms
from kb_service.language.text import index_terms

MAX_FOLLOW_UP_TERMS = 24
"""A question with more index terms (about 12 CJK characters or 24 words) stands on its own."""


def search_text(question: str, history: Sequence[ChatMessage]) -> str:
    """Return the text to search with: the question, behind the previous one for a follow-up."""
    previous = next((m.content for m in reversed(history) if m.role == "user"), "")
    return f"{previous}\n{question}" if previous and is_follow_up(question) else question


def is_follow_up(question: str) -> bool:
    """True for a short question without an identifier that points back or names nothing itself."""
    if identifiers_in(question) or len(index_terms(question)) > MAX_FOLLOW_UP_TERMS:
        return False
    return points_back(question) or not content_terms(question)
