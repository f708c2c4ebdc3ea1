"""The cell that a question asks for by the names of row and column, where a table tells it surely.

Knows no model: a long row in which many numbers stand is read wrongly by one that knows no columns.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.language.cells import cells_asked, is_of
from kb_service.language.questions import coverage, text_terms
from kb_service.language.rows import is_row
from kb_service.language.text import normalise, terms_of
from kb_service.services.evidence import MIN_CONFIDENCE, ReadDocument
from kb_service.services.named import NamedTime

MIN_COVERAGE = 0.3
"""So much of the rarity of a question's words its document has."""


PINNED = 0.9
"""How surely the row of an identifier answers."""


def with_cells(
    question: Question,
    passages: Sequence[Passage],
    documents: Mapping[str, ReadDocument],
    idf: Mapping[str, float],
    times: Sequence[NamedTime],
    read_but: Callable[[Collection[str]], Sequence[Reading]],
) -> tuple[Reading, ...]:
    """Return the cells that are asked for, and what a model reads in the other documents.

    `read_but`: reads all passages but those of these documents.
    """
    cells = told_in_cells(question, passages, documents, idf, times)
    read = read_but({reading.passage.document_id for reading in cells})
    if not cells and all(reading.confidence < MIN_CONFIDENCE for reading in read):
        cells = rows_of_identifiers(question, passages, documents)
    return (*cells, *read)


def told_in_cells(
    question: Question,
    passages: Sequence[Passage],
    documents: Mapping[str, ReadDocument],
    idf: Mapping[str, float],
    times: Sequence[NamedTime] = (),
) -> tuple[Reading, ...]:
    """Return the cells that a question asks for, of documents by id that meet what it names.

    `times`: those that it tells in words of its own (yesterday), which no paper has to have.
    """
    told = {term for time in times for term in terms_of(normalise(time.words))}
    joined = {part for term in question.terms if "-" in term for part in term.split("-")}
    terms = [term for term in question.terms if term not in told | joined]
    asked = question.normalised
    for time in times:
        asked = asked.replace(normalise(time.words), ",")
    by_document: dict[str, list[Passage]] = {}
    for passage in passages:
        if not documents[passage.document_id].unmet:
            by_document.setdefault(passage.document_id, []).append(passage)
    return tuple(
        reading
        for of_one in by_document.values()
        for reading in _told(asked, of_one)
        if _covers(terms, of_one, idf)
    )


def rows_of_identifiers(
    question: Question, passages: Sequence[Passage], documents: Mapping[str, ReadDocument]
) -> tuple[Reading, ...]:
    """Return the rows of tables in another language that alone are of an identifier asked for.

    They say all that the table has of it, whatever its columns are called there.
    """
    found = []
    for identifier in question.identifiers:
        rows = [
            Reading(passage, unit.span, PINNED)
            for passage in passages
            if documents[passage.document_id].is_across and not documents[passage.document_id].unmet
            for unit in passage.units
            if is_of(identifier, unit.span.of(passage.text))
        ]
        found += rows if len(rows) == 1 else []
    return tuple(found)


def _told(asked: str, passages: Sequence[Passage]) -> tuple[Reading, ...]:
    places, above = _rows_of(passages)
    known = normalise("\n".join(f"{p.title}\n{p.document_name}\n{p.text}" for p in passages))
    cells = cells_asked(asked, [span.of(p.text) for p, span in places], above, known)
    if not cells:
        return ()
    passage, row = places[cells[0].row]
    first, last = cells[0].span, cells[-1].span
    return (Reading(passage, TextSpan(first.start, last.end).shifted(row.start), 1.0),)


def _rows_of(passages: Sequence[Passage]) -> tuple[list[tuple[Passage, TextSpan]], list[str]]:
    """Return where the rows of passages stand, and what stands above the table of each."""
    places: list[tuple[Passage, TextSpan]] = []
    above: list[str] = []
    for passage in passages:
        head, is_in_table = list[str](), False
        for unit in passage.units:
            words = unit.span.of(passage.text)
            if is_row(words):
                places.append((passage, unit.span))
                above.append("\n".join(head))
            else:
                head = [words] if is_in_table else [*head, words]
            is_in_table = is_row(words)
    return places, above


def _covers(terms: Sequence[str], passages: Sequence[Passage], idf: Mapping[str, float]) -> bool:
    words = text_terms("\n".join(f"{p.title}\n{p.text}" for p in passages))
    return coverage(terms, words, idf) >= MIN_COVERAGE
