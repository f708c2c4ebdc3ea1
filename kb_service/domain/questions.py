"""A question taken apart: Question, Subject. Values only; what words mean is not known here."""

from dataclasses import dataclass
from enum import StrEnum

from kb_service.domain.spans import TextSpan


class QuestionKind(StrEnum):
    """What has to be done for a question.

    `list` is of things that a document tells (measures, causes), `list_documents` of documents or
    of what each document reports. `count` counts these, though a paper may state the figure.
    `comparison` is also the most or the least of them.
    """

    FACT = "fact"
    YES_NO = "yes_no"
    LIST = "list"
    LIST_DOCUMENTS = "list_documents"
    COUNT = "count"
    COMPARISON = "comparison"
    SUMMARY = "summary"
    ABOUT_DOCUMENT = "about_document"
    SMALL_TALK = "small_talk"


class SubjectKind(StrEnum):
    """What sort of thing a question names; `name` is a Latin one or one between its marks."""

    IDENTIFIER = "identifier"
    FILE_NAME = "file_name"
    ORGANISATION = "organisation"
    PLACE = "place"
    PERSON = "person"
    NAME = "name"
    DATE = "date"
    NUMBER = "number"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a question names, so that a document which does not speak of it is the wrong one.

    `text`: as it was typed, `Question.text[span]`. `forms`: normalised; one of them met is enough.
    `is_background`: it only tells what is behind a long question; a document need not speak of it.
    """

    text: str
    kind: SubjectKind
    span: TextSpan
    forms: tuple[str, ...]
    is_background: bool = False


@dataclass(frozen=True, slots=True)
class QuestionPart:
    """One of the questions that a question consists of. `asked`: it stands on its own.

    `shown`: as it may be told to who asked, without what was put in front for the search.
    `goes_on`: it names nothing itself; what it asks is asked of what the part before it is about.
    """

    asked: str
    shown: str
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question as everyone reads it; `language.asked.parse_question` makes it, once.

    `normalised`: the text after NFKC and case folding. `language`: the code of the one in which to
    speak to who asks. `words`: its index terms in order, with repetitions. `terms`: its distinct
    content terms without identifiers and dates. `identifiers`: whole. `values`: what it fixes
    (`date:…`, `num:…`, `id:…`, `name:…`).
    """

    text: str
    normalised: str
    language: str
    words: tuple[str, ...]
    terms: tuple[str, ...]
    identifiers: tuple[str, ...]
    values: frozenset[str]
