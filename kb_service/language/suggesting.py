"""Questions that what documents state may answer, to be asked before they are suggested.

Pure functions. Knows fields and wordings; whether a question is answered is the reader's business.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from kb_service.domain.facts import DOCUMENT_RECORD, UNKNOWN, Fact, FactField, FactMethod
from kb_service.language.events import event_kinds
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.messages import message
from kb_service.language.regexes import regex
from kb_service.language.scripts import language_of
from kb_service.language.text import normalise

_ASKED = (
    *(FactField.CAUSE, FactField.INJURED, FactField.TIME, FactField.PLACE),
    *(FactField.DEAD, FactField.LOSS),
)
"""Fields of one incident that people ask for."""
_MAX_NAME_CHARS = 60
_SURE = (FactMethod.FORM, FactMethod.TITLE)
_PAPER = regex("|".join(shipped_lexicon().patterns("suggested", "paper")), re.IGNORECASE)


def questions_about(title: str, facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """Return questions about one document, each with its language, by what it states."""
    own = [fact for fact in facts if fact.record == DOCUMENT_RECORD and fact.text != UNKNOWN]
    name = _name(title, own)
    if not name:
        return []
    language = language_of(" ".join([title, *(fact.value for fact in own)]))
    stated = {fact.field for fact in own}
    asked = [field for field in _ASKED if field in stated]
    return [(message(f"suggest_{field}", language, about=name), language) for field in asked]


def questions_over(facts: Iterable[Fact]) -> list[tuple[str, str]]:
    """Return questions over many documents, each with its language: of a kind, of a year."""
    return list(dict.fromkeys(_over(facts)))


def _over(facts: Iterable[Fact]) -> Iterator[tuple[str, str]]:
    for fact in facts:
        words = " ".join(fact.value.split())
        language = language_of(words)
        if fact.field == FactField.KIND and _is_kind(words):
            yield message("suggest_count", language, kind=words), language
        elif fact.field == FactField.TIME and fact.time_from is not None:
            yield message("suggest_year", language, year=fact.time_from.year), language


def _is_kind(words: str) -> bool:
    """True for a few words for something that happens: "Incident documentation" is none."""
    return len(words) <= _MAX_NAME_CHARS and bool(event_kinds(normalise(words)))


def _name(title: str, own: Sequence[Fact]) -> str:
    """By what people would ask for a document: what its title says happened, else its number.

    A title that says nothing of the kind ("Sheet1", "Minutes") names nothing that happened.
    """
    happened = " ".join(title.split())
    if not event_kinds(normalise(happened)):
        numbers = [f for f in own if f.field == FactField.NUMBER and f.method in _SURE]
        happened = " ".join(numbers[0].value.split()) if numbers else ""
    bare = _PAPER.sub("", happened)
    name = bare if event_kinds(normalise(bare)) else happened
    return name if len(name) <= _MAX_NAME_CHARS else ""
