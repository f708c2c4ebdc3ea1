"""Which documents a question means: by the dates it fixes and the names it and their titles share.

Pure functions on question and passages. Narrows the passages to those documents; quotes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.language.dates import dates_in_title
from kb_service.language.questions import coverage, text_terms
from kb_service.language.text import normalise
from kb_service.language.values import dates_among, supporting_values

MIN_TITLE_SHARE = 0.3
"""A title that holds this share of the question's idf mass names what it is about."""

TITLE_MARGIN = 0.2
"""Titles that hold this much less than the best one are of other documents."""

MIN_NAME_STEM = 5
"""A name is found by this many leading characters, so that "Norman" meets "Normans"."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The passages of one document read together."""

    title: str
    text: str


def meant(
    question: Question, passages: Sequence[Passage], idf: Mapping[str, float]
) -> tuple[Passage, ...]:
    """Return the passages of the documents that the question can mean, in their order.

    Each rule keeps the documents that fit best, and all of them when none fits, except that a
    title with another date than the question's is always out.
    """
    sources = _sources(passages)
    dates = dates_among(question.values)
    kept = [key for key, source in sources.items() if not _contradicts(source.title, dates)]
    kept = _most(kept, {key: _num_dates(sources[key], dates) for key in kept})
    kept = _titled(kept, sources, question.terms, idf)
    return tuple(passage for passage in passages if passage.document_id in kept)


def _sources(passages: Sequence[Passage]) -> dict[str, _Source]:
    texts: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for passage in passages:
        titles[passage.document_id] = passage.title
        texts.setdefault(passage.document_id, []).append(passage.text)
    return {key: _Source(titles[key], "\n".join(parts)) for key, parts in texts.items()}


def _contradicts(title: str, dates: frozenset[str]) -> bool:
    titled = dates_in_title(title)
    return bool(titled) and bool(dates) and not dates & titled


def _num_dates(source: _Source, dates: frozenset[str]) -> int:
    if not dates:
        return 0
    return len(dates & (supporting_values(source.text) | dates_in_title(source.title)))


def names_stated(question: Question, passages: Sequence[Passage]) -> dict[str, float]:
    """Return the share of the question's names (Latin, capitalised) by document id; 1.0 for none.

    Empty when the question has a name that no passage states: then all of them are of others.
    """
    names = [name[:MIN_NAME_STEM] for name in question.names]
    words = {key: normalise(f"{s.title}\n{s.text}") for key, s in _sources(passages).items()}
    if any(all(name not in text for text in words.values()) for name in names):
        return {}
    count = max(1, len(names))
    return {
        key: sum(name in text for name in names) / count if names else 1.0
        for key, text in words.items()
    }


def _most(keys: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    best = max(counts.values(), default=0)
    return [key for key in keys if counts[key] == best]


def _titled(
    keys: Sequence[str],
    sources: Mapping[str, _Source],
    terms: tuple[str, ...],
    idf: Mapping[str, float],
) -> list[str]:
    shares = {key: coverage(terms, text_terms(sources[key].title), idf) for key in keys}
    best = max(shares.values(), default=0.0)
    if best < MIN_TITLE_SHARE:
        return list(keys)
    return [key for key in keys if shares[key] >= best - TITLE_MARGIN]
