"""From question, passages and history to the messages a chat model reads. Pure functions.

Documents are data: they stand numbered between marks in the system message, which says that nothing
in them is an instruction. Control tokens cannot arise from text here, because the model's package
encodes every message on its own. Knows no tokenizer but through a PromptMeter.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol, runtime_checkable

from kb_service.domain.chats import ChatMessage
from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.language.messages import in_all_languages, message
from kb_service.language.units import reflow

_MAX_HISTORY = 6
"""Messages of history that can matter: three questions with their answers."""

_OPEN, _CLOSE = "<<<", ">>>"


class Segment(Protocol):
    """Token ids of a prompt that belong together: the prefix, one message, the reply's opening."""

    @property
    def role(self) -> str:
        """Which part of the prompt."""

    @property
    def ids(self) -> tuple[int, ...]:
        """Its token ids."""


@runtime_checkable
class PromptMeter(Protocol):
    """A generator that reads a prompt of limited length."""

    @property
    def max_prompt_tokens(self) -> int:
        """The longest prompt that leaves room for an answer."""

    def num_prompt_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return the length of a chat's prompt, exact or estimated. Raises GenerationError."""


@runtime_checkable
class PromptReader(Protocol):
    """A generator that can show its exact prompt."""

    def prompt_segments(self, messages: Sequence[ChatMessage]) -> Sequence[Segment]:
        """Return the exact prompt of a chat as token ids. Raises GenerationError."""


def system_message(passages: Sequence[Passage], language: str) -> str:
    """Return the rules followed by the passages, each between its own marks."""
    rules = message("rules", language, not_stated=message("not_stated", language))
    return "\n\n".join([rules, *(_block(passage, language) for passage in passages)])


def build_messages(
    question: Question,
    passages: Sequence[Passage],
    history: Sequence[ChatMessage] = (),
    meter: PromptMeter | None = None,
) -> tuple[ChatMessage, ...]:
    """Return system, history and question in the question's language, cut to fit the meter.

    The oldest turn goes first, then passages from the last; the best passage and the question
    always stay, so the result may still be too long: then the generator refuses it by name.
    """
    language = question.language
    turns, kept = list(recent_turns(history)), list(passages)
    while True:
        system = ChatMessage("system", system_message(kept, language))
        messages = (system, *turns, ChatMessage("user", question.text.strip()))
        if meter is None or meter.num_prompt_tokens(messages) <= meter.max_prompt_tokens:
            return messages
        if turns:
            del turns[:2]
        elif len(kept) > 1:
            del kept[-1]
        else:
            return messages


def recent_turns(history: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Return the last complete question-answer pairs, in order, as a chat format accepts them."""
    pairs = [
        pair for pair in pairwise(history) if (pair[0].role, pair[1].role) == ("user", "assistant")
    ]
    return tuple(message for pair in pairs[-_MAX_HISTORY // 2 :] for message in pair)


def is_refusal(text: str) -> bool:
    """True when an answer's text is one of the sentences that say nothing was found."""
    compact = re.sub(r"[\W_]+", "", text).casefold()
    return any(
        compact == re.sub(r"[\W_]+", "", said).casefold() for said in in_all_languages("not_stated")
    )


def _block(passage: Passage, language: str) -> str:
    title, text = _as_data(reflow(passage.title)), _as_data(passage.text)
    heading = message("source", language, number=passage.number, title=title)
    return f"{heading}\n{_OPEN}\n{text}\n{_CLOSE}"


def _as_data(text: str) -> str:
    """Keep a document from closing its own marks."""
    return text.replace(_OPEN, "‹‹‹").replace(_CLOSE, "›››")
