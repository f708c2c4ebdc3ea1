"""What happens while a chat is answered, alike for the plain model and for a knowledge base. Pure.

Turns the events of both services into Words, Cited and Finish. Clients of the protocol render
Markdown, some of them HTML: what a base's answer quotes from documents is made inert here, and its
citations point into the words as they are sent. A plain chat's words are passed on as they are.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from kb_service.domain.answers import Answer, Citation
from kb_service.domain.chats import ChatEnd, ChatEvent, TokenScore, ToolCall, Usage
from kb_service.domain.inert import InertText, inert
from kb_service.services.asking import (
    AskEvent,
    CitationEvent,
    DoneEvent,
    PhaseEvent,
    TokenEvent,
)
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
    """Yield the events of an answer from a base; no words of a document in them can act."""
    shown = InertText()
    with closing(events):
        for event in events:
            match event:
                case TokenEvent(text):
                    yield Words(shown.feed(text))
                case CitationEvent(citation):
                    yield Cited(_shown(citation, shown))
                case DoneEvent(answer):
                    yield _finish(answer, shown)
                case PhaseEvent():
                    continue


def _shown(citation: Citation, text: InertText) -> Citation:
    """Return the citation of the words as they are sent; `cited_text` stays as stored."""
    return replace(
        citation,
        title=inert(citation.title),
        answer=text.place(citation.answer),
        unsupported=tuple(map(text.place, citation.unsupported)),
    )


def _finish(answer: Answer, text: InertText) -> Finish:
    reason = "length" if answer.reason == CUT_OFF else "stop"
    citations = tuple(_shown(citation, text) for citation in answer.citations)
    # Only titles are likely to be shown as they come; the words of a passage are the document's.
    passages = tuple(replace(one, title=inert(one.title)) for one in answer.passages)
    read = replace(
        answer.understood, about=answer.understood.about and inert(answer.understood.about)
    )
    told = replace(answer, citations=citations, passages=passages, understood=read)
    return Finish(reason, answer.usage, answer=told)
