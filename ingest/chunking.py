"""SentenceChunker: small chunks of whole sentences that an edit elsewhere leaves alone.

Knows text, headings and weights; knows nothing of files, models or storage. Every offset is a
running sum over pieces that concatenate to the text; nothing is searched for afterwards.

A cut depends on the words around it only: at headings, between paragraphs that are large enough to
stand alone, and among smaller ones where the digest of a unit is the least of its neighbourhood
(content-defined cuts, after LBFS: Muthitacharoen et al., 2001, section 3.1). So an inserted
paragraph does not shift the cuts behind it, and stored embeddings stay valid.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.chunk_prefix import Outline, facts_line
from ingest.overlong import pieces
from kb_service.domain.documents import ChunkDraft, Heading, ParsedDocument
from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import WIDE
from kb_service.language.regexes import regex
from kb_service.language.text import CLAUSE_ENDS, sentence_spans, trimmed_span

_FULL = 1000
"""The weight of a chunk at its limit."""
_SMALL = 350  # below this a paragraph is joined with its neighbours
_HEADING_ROOM = 1300  # a heading may push its paragraph's first chunk past the limit so far
_LONG = 3000  # up to here a paragraph is cut evenly, beyond it at content-defined places
_NEIGHBOURHOOD = 2
_LETTERS_PER_WORD = 12  # a longer word weighs as several, so that unbroken text is cut too

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_WEIGHED = regex(f"[{WIDE}]|[^\\s{WIDE}]+")
_MARKS = ("\n", *CLAUSE_ENDS, "\t", " ")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A paragraph, a sentence or a piece of one: its span, its weight and its digest."""

    span: TextSpan
    weight: int
    digest: bytes
    is_heading: bool = False


class SentenceChunker:
    """Chunker. `max_chars_zh`, `max_words_en`: the size of a full chunk in either script."""

    def __init__(self, max_chars_zh: int = 200, max_words_en: int = 115) -> None:
        if max_chars_zh < 20 or max_words_en < 10:
            raise ValueError(
                f"chunk limits ({max_chars_zh} characters, {max_words_en} words) are below (20, 10)"
            )
        self._per_character = _FULL / max_chars_zh
        self._per_word = _FULL / max_words_en

    def chunk(self, document: ParsedDocument, title: str) -> list[ChunkDraft]:
        """Return the chunks in order; none is empty, none overlaps, every word lies in one."""
        outline = Outline(document, title or document.title)
        facts = facts_line(document)
        drafts: list[ChunkDraft] = []
        for section in _sections(document):
            for span in self._section_chunks(document.text, section, document.headings):
                path = outline.path_at(span)
                drafts.append(
                    ChunkDraft(
                        len(drafts), span, span.of(document.text), path, outline.prefix(path, facts)
                    )
                )
        return drafts

    def weight(self, text: str) -> int:
        """Return how full a text makes a chunk: 1000 is the limit."""
        total = 0.0
        for match in _WEIGHED.finditer(text):
            word = match.group()
            if len(word) == 1 and ord(word) >= 0x2E80:
                total += self._per_character
            else:
                total += self._per_word * -(-len(word) // _LETTERS_PER_WORD)
        return round(total)

    def _section_chunks(
        self, text: str, section: TextSpan, headings: tuple[Heading, ...]
    ) -> Iterator[TextSpan]:
        starts = {heading.span.start for heading in headings}
        paragraphs = [
            self._unit(text, span, is_heading=span.start in starts)
            for span in _paragraphs(text, section)
        ]
        groups: list[list[_Unit]] = []
        for run in _runs(paragraphs):
            for group in self._run_groups(text, run):
                _append_group(groups, group)
        for group in groups:
            yield TextSpan(group[0].span.start, group[-1].span.end)

    def _unit(self, text: str, span: TextSpan, *, is_heading: bool = False) -> _Unit:
        words = span.of(text)
        digest = hashlib.blake2b(words.encode(), digest_size=8).digest()
        return _Unit(span, self.weight(words), digest, is_heading)

    def _run_groups(self, text: str, run: list[_Unit]) -> list[list[_Unit]]:
        if len(run) == 1:
            if run[0].weight <= _FULL:
                return [run]
            sentences = list(self._sentences(text, run[0].span))
            if run[0].weight <= _LONG:
                return list(_balanced(sentences))
            run = sentences
        return [group for stretch in _stretches(run) for group in _balanced(stretch)]

    def _sentences(self, text: str, span: TextSpan) -> Iterator[_Unit]:
        for sentence in sentence_spans(span.of(text)):
            unit = self._unit(text, sentence.shifted(span.start))
            if unit.weight <= _FULL:
                yield unit
            else:
                yield from self._cut_hard(text, unit.span)

    def _cut_hard(self, text: str, span: TextSpan) -> Iterator[_Unit]:
        """Cut one overlong sentence at clause marks, spaces or anywhere."""
        start = span.start
        for piece in pieces(span.of(text), _MARKS, self.weight, _FULL):
            trimmed = trimmed_span(text, start, start + len(piece))
            start += len(piece)
            if trimmed:
                yield self._unit(text, trimmed)


def _sections(document: ParsedDocument) -> Iterator[TextSpan]:
    """Cut the text before every heading that follows body text."""
    start = body_from = 0
    for heading in document.headings:
        if document.text[body_from : heading.span.start].strip():
            yield TextSpan(start, heading.span.start)
            start = heading.span.start
        body_from = heading.span.end
    yield TextSpan(start, len(document.text))


def _paragraphs(text: str, section: TextSpan) -> Iterator[TextSpan]:
    start = section.start
    for match in _BLANK_LINE.finditer(text, section.start, section.end):
        span = trimmed_span(text, start, match.start())
        start = match.end()
        if span:
            yield span
    span = trimmed_span(text, start, section.end)
    if span:
        yield span


def _runs(units: Sequence[_Unit]) -> Iterator[list[_Unit]]:
    """Yield each large unit alone and neighbouring small ones together."""
    run: list[_Unit] = []
    for unit in units:
        if unit.weight < _SMALL:
            run.append(unit)
            continue
        if run:
            yield run
        run = []
        yield [unit]
    if run:
        yield run


def _stretches(run: list[_Unit]) -> Iterator[list[_Unit]]:
    """Cut a run before each unit whose digest is the least of its neighbourhood."""
    start = 0
    for index in range(1, len(run)):
        around = run[max(0, index - _NEIGHBOURHOOD) : index + _NEIGHBOURHOOD + 1]
        is_least = all(run[index].digest < near.digest for near in around if near is not run[index])
        if is_least and not run[index - 1].is_heading:
            yield run[start:index]
            start = index
    yield run[start:]


def _balanced(stretch: list[_Unit]) -> Iterator[list[_Unit]]:
    """Cut a stretch into as few groups within the limit as its units allow, of even weight."""
    total = _total(stretch)
    target = total / -(-total // _FULL) if total else _FULL
    group: list[_Unit] = []
    filled = 0
    for unit in stretch:
        if group and (filled + unit.weight > _FULL or filled + unit.weight / 2 > target):
            yield group
            group, filled = [], 0
        group.append(unit)
        filled += unit.weight
    if group:
        yield group


def _append_group(groups: list[list[_Unit]], group: list[_Unit]) -> None:
    """Append a group, or join it to the one before when either is short and both fit a chunk."""
    if groups:
        last = groups[-1]
        weight, added = _total(last), _total(group)
        room = _HEADING_ROOM if all(unit.is_heading for unit in last) else _FULL
        if min(weight, added) < _SMALL and weight + added <= room:
            groups[-1] = [*last, *group]
            return
    groups.append(group)


def _total(units: list[_Unit]) -> int:
    return sum(unit.weight for unit in units)
