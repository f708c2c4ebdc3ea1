"""What of the passages is read for a question, and behind which title.

Pure functions on passages: without furniture, without what tells of others than the question means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question, Subject
from kb_service.domain.texts import Unit
from kb_service.language.clause_numbers import Label, clauses_named, in_clauses
from kb_service.language.furniture import is_furniture
from kb_service.language.meant import units_meant
from kb_service.language.series import Series, of_others, series_of
from kb_service.language.text import normalise
from kb_service.services.named import Named


def with_what_is_meant(
    passages: Sequence[Passage], question: Question, named: Named
) -> tuple[Passage, ...]:
    """Return passages without furniture, and without what their document says of others.

    Order kept; those of which nothing is left are left out.
    """
    asked, series = question.normalised, series_of(question, named.subjects)
    by_document: dict[str, list[Passage]] = {}
    for passage in passages:
        by_document.setdefault(passage.document_id, []).append(passage)
    windows = [time.window for time in named.times]
    kept: dict[int, tuple[Unit, ...]] = {}
    for of_one in by_document.values():
        parts = [(p.text, _of_those(_without_furniture(p), p, series)) for p in of_one]
        meant = units_meant(parts, asked, named.subjects, windows)
        kept |= {p.number: units for p, units in zip(of_one, meant, strict=True)}
    kept = _of_clauses(passages, kept, clauses_named(asked)) or kept
    return tuple(
        replace(passage, units=kept[passage.number])
        for passage in passages
        if kept[passage.number] or not passage.units
    )


def _without_furniture(passage: Passage) -> list[Unit]:
    return [u for u in passage.units if not is_furniture(u.span.of(passage.text))]


def _of_those(units: Sequence[Unit], passage: Passage, series: Sequence[Series]) -> list[Unit]:
    """Return the units of a passage that tell of no others of the series that are asked for."""
    others = {
        place for one in series for place in of_others(units, passage.text, passage.title, one)
    }
    return [unit for place, unit in enumerate(units) if place not in others]


def has_clause(passages: Sequence[Passage], question: Question) -> bool:
    """True where one of the passages has the clause that a question names by its number."""
    clauses = clauses_named(question.normalised)
    return bool(clauses) and any(in_clauses(p.units, p.text, clauses) for p in passages)


def _of_clauses(
    passages: Sequence[Passage], kept: Mapping[int, Sequence[Unit]], clauses: Sequence[Label]
) -> dict[int, tuple[Unit, ...]]:
    """Return what is kept of each passage of the clauses that are named; {} where none has them."""
    inside: dict[int, tuple[Unit, ...]] = {}
    for passage in passages if clauses else ():
        places = in_clauses(passage.units, passage.text, clauses)
        units = [unit for place, unit in enumerate(passage.units) if place in places]
        inside[passage.number] = tuple(unit for unit in kept[passage.number] if unit in units)
    return inside if any(inside.values()) else {}


def introduced(passage: Passage, named: Named, unmet: Sequence[Subject]) -> Passage:
    """Return a passage behind what its document is about, as it is read.

    The title also says the subjects and times of the question that the document meets.
    """
    title, lacking = normalise(passage.title), {subject.span for subject in unmet}
    told = [s.text for s in named.subjects if s.span not in lacking]
    told += [time.words for time in named.times if time.window.span not in lacking]
    told = [words for words in told if normalise(words) not in title]
    return replace(passage, title=" ".join((passage.title, *told)))
