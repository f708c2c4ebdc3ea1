"""A question taken apart: Question. Values only; what words mean is the language's business."""

from dataclasses import dataclass
from enum import StrEnum


class AnswerType(StrEnum):
    """Which kind of words answers a question; `other` when the wording does not tell."""

    DATE = "date"
    TIME = "time"
    DURATION = "duration"
    MONEY = "money"
    NUMBER = "number"
    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    CAUSE = "cause"
    IDENTIFIER = "identifier"
    ITEM = "item"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Question:
    """A question as everyone reads it; `language.asked.parse_question` makes it, once.

    `normalised`: the text after NFKC and case folding. `language`: the code of the one in which to
    speak to who asks. `words`: its index terms in order, with repetitions. `terms`: its distinct
    content terms without identifiers and dates. `identifiers`: whole. `values`: what it fixes
    (`date:…`, `num:…`, `id:…`, `name:…`). `names`: its capitalised words, folded. `subjects`:
    Chinese organisations and places without their endings; none beside an identifier, which says
    better what is meant.
    """

    text: str
    normalised: str
    language: str
    kind: AnswerType
    words: tuple[str, ...]
    terms: tuple[str, ...]
    identifiers: tuple[str, ...]
    values: frozenset[str]
    names: tuple[str, ...]
    subjects: tuple[str, ...]
