"""The opening of a document, for questions that ask what it is about: its summary or first words.

Knows which document is meant and where its words are. Knows no model.
"""

from collections.abc import Sequence

from kb_service.domain.queries import Passage
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import Unit, UnitKind
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.summaries import heads_summary
from kb_service.services.assembly import RevisionTexts

MAX_CHARS = 3000
"""A summary that begins later is none that opens a document."""

MAX_TITLE_CHARS = 60
_ENDS = tuple(".!?;:" + shipped_lexicon().characters("sentences", "ends"))

MAX_QUOTED_UNITS, MAX_QUOTED_CHARS = 3, 500


def opening_of(like: Passage, texts: RevisionTexts, number: int) -> Reading | None:
    """Return the words that open the document of a passage, as a passage of that number.

    None when the document is gone or holds no words.
    """
    (marked,) = texts.stretches([(like.revision_id, TextSpan(0, 0))], MAX_CHARS)
    if marked is None or not marked.text.strip():
        return None
    units = tuple(marked.quotable())
    passage = Passage(
        number=number,
        chunk_id=like.chunk_id,
        document_id=like.document_id,
        revision_id=like.revision_id,
        sha256=like.sha256,
        title=like.title,
        span=marked.span,
        text=marked.text,
        score=like.score,
        units=units,
        document_name=like.document_name,
    )
    span = _quoted(marked.text, units, like.title)
    return Reading(passage, span, 1.0) if span else None


def _is_title(words: str, title: str) -> bool:
    """True for the title again, or a line that names a document: short, and no sentence."""
    is_said = "".join(words.split()) in "".join(title.split())
    is_sentence = words.rstrip().endswith(_ENDS) or len(words) > MAX_TITLE_CHARS
    return is_said or not is_sentence


def _quoted(text: str, units: Sequence[Unit], title: str) -> TextSpan | None:
    """The units behind a heading of a summary, else the first ones that are no heading or title."""
    headed = next((n for n, unit in enumerate(units) if heads_summary(unit.span.of(text))), None)
    first = 0 if headed is None else headed + 1
    chosen: list[Unit] = []
    for unit in units[first:]:
        if unit.kind is UnitKind.HEADING or _is_title(unit.span.of(text), title):
            if chosen:
                break
            continue
        chosen.append(unit)
        length = chosen[-1].span.end - chosen[0].span.start
        if len(chosen) == MAX_QUOTED_UNITS or length >= MAX_QUOTED_CHARS:
            break
    return TextSpan(chosen[0].span.start, chosen[-1].span.end) if chosen else None
