"""What a question in a conversation refers to: a pure rule, no model.

A short question that points back ("它的直接原因呢？", "who led it?") is searched together with the
question before it. Knows the last question only.
"""

from collections.abc import Sequence

from kb_service.domain.chats import ChatMessage
from kb_service.domain.questions import Question
from kb_service.language.asked import parse_question
from kb_service.language.follow_ups import points_back
from kb_service.language.questions import content_terms

MAX_FOLLOW_UP_TERMS = 24
"""A question with more index terms (about 12 CJK characters or 24 words) stands on its own."""


def search_question(question: Question, history: Sequence[ChatMessage]) -> Question:
    """Return what to search with: the question, behind the previous one for a follow-up."""
    previous = next((m.content for m in reversed(history) if m.role == "user"), "")
    if previous and is_follow_up(question):
        return parse_question(f"{previous}\n{question.text}")
    return question


def is_follow_up(question: Question) -> bool:
    """True for a short question without an identifier that points back or names nothing itself."""
    if question.identifiers or len(question.words) > MAX_FOLLOW_UP_TERMS:
        return False
    asked = question.normalised
    return points_back(asked) or not content_terms(asked)
