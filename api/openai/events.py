"""What happens while a chat is answered, alike for the plain model and for a knowledge base. Pure.

Turns the events of both services into Words, Cited and Finish.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

from kb_service.domain.answers import Answer, Citation
from kb_service.domain.chats import ChatEnd, ChatEvent, TokenScore, ToolCall, Usage
from kb_service.services.asking import AskEvent, CitationEvent, TokenEvent
from kb_service.services.writing import CUT_OFF


@dataclass(frozen=True, slots=True)
class Words:
    """The next words; `scores`: their tokens' log probabilities, if asked for."""

    text: str
    scores: tuple[TokenScore, ...] = ()


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of words already sent."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Finish:
    """The end. `answer`: what was saved, for a knowledge base."""

    reason: str
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()
    answer: Answer | None = None


CompletionEvent = Words | Cited | Finish


def of_chat(events: Generator[ChatEvent, None, None]) -> Iterator[CompletionEvent]:
    """Yield the events of a plain chat."""
    with closing(events):
        for event in events:
            if isinstance(event, ChatEnd):
                yield Finish(event.finish_reason, event.usage, event.tool_calls)
            else:
                yield Words(event.text, event.scores)


def of_answer(events: Generator[AskEvent, None, None]) -> Iterator[CompletionEvent]:
    """Yield the events of an answer from a base."""
    with closing(events):
        for event in events:
            match event:
                case TokenEvent(text):
                    yield Words(text)
                case CitationEvent(citation):
                    yield Cited(citation)
                case _:
                    yield _finish(event.answer)


def _finish(answer: Answer) -> Finish:
    reason = "length" if answer.reason == CUT_OFF else "stop"
    return Finish(reason, answer.usage, answer=answer)
