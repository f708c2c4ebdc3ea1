"""Choosing what to quote: the units of the passages that answer a question, best first.

Pure functions: passages and question in, quotations out; every quotation is a unit of a passage.
Knows layout (fields, list items, headings) and words; writes nothing itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kb_service.domain.queries import Passage
from kb_service.domain.questions import AnswerType, Question
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import Unit, UnitKind
from kb_service.generation.contradictions import says_opposite
from kb_service.generation.fields import (
    ITEM_LABEL,
    asked_field,
    asked_ordinal,
    asks_for_list,
    fields_of,
    item_words,
    items_numbered,
    lists_under,
    names_ordinal,
)
from kb_service.generation.span_features import AskedWords, asked_words
from kb_service.generation.span_model import Weights, choose
from kb_service.generation.subjects import MIN_TITLE_SHARE, meant, names_stated
from kb_service.generation.typed_spans import answer_words, is_typed
from kb_service.language.furniture import is_furniture
from kb_service.language.questions import (
    asks_across_documents,
    coverage,
    names_happening,
    stem,
    text_terms,
)
from kb_service.language.units import reflow
from kb_service.language.values import supporting_values

MIN_COVERAGE = 0.45
"""Share of the question's idf mass that a quoted unit must hold together with its surroundings."""

MIN_ITEM_COVERAGE = 0.3
"""The same for a numbered item with what introduces its list: the item itself repeats little."""

MIN_HEADED = 0.4
"""Share of what the title leaves of the question that the heading of a whole list must hold."""

MIN_REST = 0.2
"""Share of what the title leaves of the question that a unit and its surroundings must hold."""

TYPE_BONUS = 0.15
STRICT_TYPE_BONUS = 0.5
"""For types that a pattern recognises surely: a question for a date is answered by a date."""
LABEL_BONUS = 2.0
"""For a field whose label is asked for, times how well its document covers the question."""
MAX_EXPLANATION_CHARS = 600
_ANNOUNCES = re.compile(r"[:：][ \t]*\n")
_ANNOUNCEMENT = re.compile(r"[:：]\s")
FORMED_TYPES = frozenset(
    (
        AnswerType.DATE,
        AnswerType.TIME,
        AnswerType.DURATION,
        AnswerType.MONEY,
        AnswerType.NUMBER,
        AnswerType.IDENTIFIER,
    )
)
_NEEDED = frozenset((AnswerType.DURATION, AnswerType.MONEY, AnswerType.IDENTIFIER))
"""Types whose answers all have a form of their own: a sentence without it answers nothing."""

_DATED = frozenset((AnswerType.DATE, AnswerType.TIME))
_DIGIT = re.compile(r"[\d〇一二三四五六七八九十]")

CONTEXT_WEIGHT = 0.7
NAMES_WEIGHT = 0.4
VALUES_WEIGHT = 0.3
RANK_WEIGHT = 0.2
CLOSE = 0.9
"""A second unit is quoted too when its score comes this near to the best."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """A unit worth quoting. `text`: its words on one line; `words`: the typed answer in it.

    `is_field`: its layout says which words answer, a label or an announcement stands before them.
    """

    passage: Passage
    span: TextSpan
    text: str
    words: str
    score: float
    is_field: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question beside the rarities of its terms, and what only this reader asks of it."""

    question: Question
    stems: frozenset[str]
    idf: Mapping[str, float]
    ordinal: int | None
    values: frozenset[str]
    names: frozenset[str]

    @property
    def kind(self) -> AnswerType:
        """The type of answer that it asks for."""
        return self.question.kind

    @property
    def terms(self) -> tuple[str, ...]:
        """Its content terms without identifiers and dates."""
        return self.question.terms


@dataclass(frozen=True, slots=True)
class _Context:
    """Terms around a unit: of its title, of the names that question and document share, of the unit
    before and the heading above, of its document."""

    title: frozenset[str]
    named: frozenset[str]
    near: frozenset[str]
    document: frozenset[str]


def read(
    question: Question,
    passages: Sequence[Passage],
    idf: Mapping[str, float],
    weights: Weights | None = None,
) -> tuple[Quotation, ...]:
    """Return the quotations that answer the question, best first; empty to abstain.

    With weights, the words of a sentence (not of a field or list item) are chosen by the model.
    """
    asked = take_apart(question, idf)
    passages = meant(question, passages, idf)
    if asks_across_documents(question.normalised) and not question.identifiers:
        # A count or an extreme over many reports is written in none of them.
        return ()
    if asked.ordinal is not None:
        item = _list_item(asked, asked.ordinal, passages)
        if item:
            return (item,)
    if asks_for_list(question):
        whole = _whole_list(asked, passages)
        if whole:
            return (whole,)
    quotations = sorted(weigh(asked, passages), key=lambda q: -q.score)
    if asked.kind is AnswerType.ITEM:
        # No list has that number: only words that name it themselves can answer.
        quotations = [q for q in quotations if names_ordinal(q.text, question)]
    leading = _leading(quotations)
    if not leading or leading[0].is_field:
        return leading
    if says_opposite(question, leading[0].text):
        return ()
    return (_lit(leading[0], asked_words(question), weights), *leading[1:]) if weights else leading


def _lit(quotation: Quotation, asked: AskedWords, weights: Weights) -> Quotation:
    """Let the model choose the words of a sentence.

    Of dates, amounts and the like it chooses which one is meant; how far it reaches is for their
    patterns to say: "on which day" is not answered by the year alone.
    """
    if asked.kind in _NEEDED:
        return quotation
    choice = choose(asked, quotation.text, weights)
    if choice is None:
        return quotation
    is_exact = asked.kind in FORMED_TYPES and (asked.language, asked.kind) != (
        "en",
        AnswerType.NUMBER,
    )
    rule = answer_words(asked.question, quotation.text) if is_exact else None
    if rule and rule.overlap(choice.span):
        return quotation
    return replace(quotation, words=choice.span.of(quotation.text))


def take_apart(question: Question, idf: Mapping[str, float]) -> _Asked:
    """Return the question with the rarities of its terms, its ordinal and its values."""
    values = frozenset(v for v in question.values if v.startswith(("date:", "num:", "id:")))
    stems = frozenset(stem(term) for term in question.terms)
    names = text_terms(" ".join(question.names))
    return _Asked(question, stems, idf, asked_ordinal(question), values, names)


def _leading(quotations: Sequence[Quotation]) -> tuple[Quotation, ...]:
    if not quotations:
        return ()
    best = quotations[0]
    for other in quotations[1:]:
        if other.score < CLOSE * best.score:
            break
        is_new = other.text != best.text and other.passage == best.passage and not other.is_field
        if is_new and not other.text[0].islower():  # a fragment explains nothing
            return best, other
    return (best,)


def weigh(asked: _Asked, passages: Sequence[Passage]) -> Iterator[Quotation]:
    """Yield every unit that says enough of what is asked, with its score."""
    documents = _document_terms(passages)
    names = names_stated(asked.question, passages)
    for passage in passages if names else ():
        units = passage.units
        title = text_terms(passage.title)
        document = documents[passage.document_id]
        shared = asked.names & document
        bonus = _values_bonus(asked, passage) + NAMES_WEIGHT * names[passage.document_id]
        for index, unit in enumerate(units):
            if unit.kind is UnitKind.HEADING or _says_nothing(passage, unit):
                continue
            near = _surroundings(passage.text, units, index)
            # A form gives its place and owner once; prose repeats the names it speaks of.
            named = shared if unit.kind is UnitKind.FIELD else frozenset[str]()
            context = _Context(title, named, near, document)
            quotation = _weighed(asked, passage, unit, context, bonus)
            if quotation:
                yield _with_explanation(quotation, units[index + 1 :])


def _says_nothing(passage: Passage, unit: Unit) -> bool:
    text = unit.span.of(passage.text)
    if unit.kind is UnitKind.FIELD and not any(value for _, value in fields_of(text)):
        return True
    return "".join(text.split()) in "".join(passage.title.split()) or is_furniture(text)


def _document_terms(passages: Sequence[Passage]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for passage in passages:
        terms = text_terms(f"{passage.title}\n{passage.text}")
        found[passage.document_id] = found.get(passage.document_id, frozenset()) | terms
    return found


def _with_explanation(quotation: Quotation, following: Sequence[Unit]) -> Quotation:
    """Extend a sentence that announces ("…to be:" and a new line) to the end of its paragraph."""
    passage, span = quotation.passage, quotation.span
    if ITEM_LABEL.match(quotation.text):
        return _whole_item(quotation, following)
    if not _ANNOUNCES.search(span.of(passage.text)):
        return quotation
    for unit in following:
        gap = passage.text[span.end : unit.span.start]
        too_long = unit.span.end - span.start > MAX_EXPLANATION_CHARS
        if unit.kind is not UnitKind.SENTENCE or gap.count("\n") > 1 or too_long:
            break
        span = TextSpan(span.start, unit.span.end)
    text = reflow(span.of(passage.text))
    announced = _ANNOUNCEMENT.search(text)
    words = text[announced.end() :] if announced else quotation.words
    return replace(quotation, span=span, text=text, words=words, is_field=True)


def _whole_item(quotation: Quotation, following: Sequence[Unit]) -> Quotation:
    """Extend "(2) Label: one thing;" over what else stands on its line."""
    passage, span = quotation.passage, quotation.span
    for unit in following:
        gap = passage.text[span.end : unit.span.start]
        if "\n" in gap or unit.span.end - quotation.span.start > MAX_EXPLANATION_CHARS:
            break
        span = TextSpan(span.start, unit.span.end)
    added = reflow(passage.text[quotation.span.end : span.end])
    text = reflow(span.of(passage.text))
    return replace(
        quotation, span=span, text=text, words=quotation.words + added if quotation.words else ""
    )


def _surroundings(text: str, units: Sequence[Unit], index: int) -> frozenset[str]:
    """Return the terms of the unit before and of the nearest heading above."""
    before = text_terms(units[index - 1].span.of(text)) if index else frozenset[str]()
    for unit in reversed(units[:index]):
        if unit.kind is UnitKind.HEADING:
            return before | text_terms(unit.span.of(text))
    return before


def _weighed(
    asked: _Asked, passage: Passage, unit: Unit, context: _Context, bonus: float
) -> Quotation | None:
    """Score one unit; None when it and its surroundings say too little of what is asked.

    What the title names already tells the units of a document not apart: the rest of the question
    does. A form names its subject once: its whole document surrounds a field whose label is asked.
    """
    text = reflow(unit.span.of(passage.text))
    field = _labelled(asked, unit, text)
    own = text_terms(text)
    near = own | (context.document if field else context.near)
    in_context = coverage(asked.terms, near | context.title, asked.idf)
    rest = _rest(asked, context.title, context.named)
    said = coverage(rest or asked.terms, own, asked.idf)
    if in_context < MIN_COVERAGE or (rest and coverage(rest, near, asked.idf) < MIN_REST):
        return None
    if not (said or field):
        return None
    score = said + CONTEXT_WEIGHT * in_context + bonus
    if field:
        label, value = field
        words = _field_words(asked, value)
        score += LABEL_BONUS * (in_context + coverage(asked.terms, text_terms(label), asked.idf))
    else:
        span = answer_words(asked.question, text)
        if span is None and (asked.kind in _NEEDED or not rest):
            return None
        if asked.kind in _DATED and not _DIGIT.search(text):
            return None
        words = span.of(text) if span else ""
        score += _type_bonus(asked.kind) if span else 0.0
    is_field = unit.kind is UnitKind.FIELD or bool(ITEM_LABEL.match(text))
    return Quotation(passage, unit.span, text, words, round(score, 6), is_field)


def _rest(
    asked: _Asked, title: frozenset[str], named: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return the terms that title and names leave open; a report need not call itself one."""
    rest = tuple(term for term in asked.terms if stem(term) not in title | named)
    if coverage(asked.terms, title, asked.idf) < MIN_TITLE_SHARE:
        return rest
    return tuple(term for term in rest if not names_happening(term))


def _labelled(asked: _Asked, unit: Unit, text: str) -> tuple[str, str] | None:
    """Return the asked label and its value: of a field, or of an item "(1) Label: value"."""
    if unit.kind is not UnitKind.FIELD and not ITEM_LABEL.match(text):
        return None
    line = text if unit.kind is UnitKind.FIELD else item_words(text)
    field = asked_field(line, asked.kind, asked.stems)
    # A date, an amount and a number are written in digits, whatever the label promises.
    is_lacking = field and asked.kind in FORMED_TYPES and not _DIGIT.search(field[1])
    return None if is_lacking else field


def _field_words(asked: _Asked, value: str) -> str:
    is_precise = asked.kind in FORMED_TYPES
    precise = answer_words(asked.question, value) if is_precise else None
    return precise.of(value) if precise else value


def _type_bonus(kind: AnswerType) -> float:
    if not is_typed(kind):
        return 0.0
    return STRICT_TYPE_BONUS if kind in FORMED_TYPES else TYPE_BONUS


def _list_item(asked: _Asked, number: int, passages: Sequence[Passage]) -> Quotation | None:
    """Return the item with the asked number under the heading that the question speaks of."""
    found: list[Quotation] = []
    for passage in passages:
        units = passage.units
        for span, introduction in items_numbered(passage.text, units, number):
            text = reflow(span.of(passage.text))
            introduced = introduction | text_terms(text) | text_terms(passage.title)
            score = coverage(asked.terms, introduced, asked.idf)
            if score >= MIN_ITEM_COVERAGE:
                score += _values_bonus(asked, passage)
                found.append(Quotation(passage, span, text, item_words(text), score))
    return max(found, key=lambda quotation: quotation.score, default=None)


def _whole_list(asked: _Asked, passages: Sequence[Passage]) -> Quotation | None:
    """Return the list under the heading that what the title leaves of the question speaks of."""
    found: list[Quotation] = []
    for passage in passages:
        title = text_terms(passage.title)
        rest = _rest(asked, title)
        for span, heading in lists_under(passage.text, passage.units):
            headed = coverage(rest, heading, asked.idf)
            score = headed + coverage(asked.terms, title, asked.idf)
            if headed >= MIN_HEADED:
                text = reflow(span.of(passage.text))
                score += _values_bonus(asked, passage)
                found.append(Quotation(passage, span, text, text, score))
    return max(found, key=lambda quotation: quotation.score, default=None)


def _values_bonus(asked: _Asked, passage: Passage) -> float:
    """Prefer passages that state the dates and numbers of the question, then earlier ones."""
    stated = supporting_values(passage.text) & asked.values
    share = len(stated) / len(asked.values) if asked.values else 0.0
    return VALUES_WEIGHT * share + RANK_WEIGHT / passage.number
