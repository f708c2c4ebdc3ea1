"""What a document says in short, quoted: its summary, or its first words and what it says of the
questions that are asked of every report (what happened, why, what harm, what was done).

Knows which document is meant and where its words are. Knows a reader, and no model.
"""

from collections.abc import Iterator, Sequence

from kb_service.domain.ports import PassageReader
from kb_service.domain.queries import Passage
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import UnitKind
from kb_service.language.asked import parse_question
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.scripts import language_of
from kb_service.language.summaries import heads_summary, key_questions
from kb_service.services.assembly import RevisionTexts
from kb_service.services.evidence import MIN_PINNED_CONFIDENCE

MAX_CHARS = 6000
"""So much of a document is read for its gist; a summary that begins later opens no document."""

MAX_TITLE_CHARS = 60
_ENDS = tuple(".!?;:" + shipped_lexicon().characters("sentences", "ends"))

MAX_QUOTED_UNITS, MAX_QUOTED_CHARS = 3, 500


def gist_of(
    like: Passage, texts: RevisionTexts, reader: PassageReader, number: int
) -> tuple[Reading, ...]:
    """Return what a passage's document says in short, in its order, as a passage of that number.

    Its summary where it has one. Empty when the document is gone or holds no words.
    """
    passage = _head(like, texts, number)
    if passage is None:
        return ()
    units, text = passage.units, passage.text
    headed = next((n for n, unit in enumerate(units) if heads_summary(unit.span.of(text))), None)
    opening = list(_opening(passage, 0 if headed is None else headed + 1))
    if not opening:
        return ()
    if headed is not None:
        return _readings(passage, opening)
    key = _key_units(passage, reader)
    return _readings(passage, sorted({opening[0], *key} if key else opening))


def _head(like: Passage, texts: RevisionTexts, number: int) -> Passage | None:
    (marked,) = texts.stretches([(like.revision_id, TextSpan(0, 0))], MAX_CHARS)
    if marked is None or not marked.text.strip():
        return None
    return Passage(
        number=number,
        chunk_id=like.chunk_id,
        document_id=like.document_id,
        revision_id=like.revision_id,
        sha256=like.sha256,
        title=like.title,
        span=marked.span,
        text=marked.text,
        score=like.score,
        units=tuple(marked.quotable()),
        document_name=like.document_name,
    )


def _key_units(passage: Passage, reader: PassageReader) -> set[int]:
    """The units that answer what is asked of every report."""
    found: set[int] = set()
    for asked in key_questions(language_of(passage.text)):
        for reading in reader.read(parse_question(asked), [passage], {})[:1]:
            if reading.confidence >= MIN_PINNED_CONFIDENCE:
                touched = [
                    n for n, unit in enumerate(passage.units) if unit.span.overlap(reading.span)
                ]
                found.update(touched[:MAX_QUOTED_UNITS])
    return found


def _opening(passage: Passage, first: int) -> Iterator[int]:
    """The first units from a place on that are no heading or title."""
    length = count = 0
    for n, unit in enumerate(passage.units[first:], first):
        words = unit.span.of(passage.text)
        if unit.kind is UnitKind.HEADING or _is_title(words, passage.title):
            if count:
                return
            continue
        yield n
        count, length = count + 1, length + len(words)
        if count == MAX_QUOTED_UNITS or length >= MAX_QUOTED_CHARS:
            return


def _readings(passage: Passage, chosen: Sequence[int]) -> tuple[Reading, ...]:
    """Neighbouring units as one reading."""
    runs: list[list[int]] = []
    for n in chosen:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    spans = [(passage.units[run[0]].span, passage.units[run[-1]].span) for run in runs]
    return tuple(Reading(passage, TextSpan(a.start, b.end), 1.0) for a, b in spans)


def _is_title(words: str, title: str) -> bool:
    """True for the title again, or a line that names a document: short, and no sentence."""
    is_said = "".join(words.split()) in "".join(title.split())
    is_sentence = words.rstrip().endswith(_ENDS) or len(words) > MAX_TITLE_CHARS
    return is_said or not is_sentence
