"""From a question to what may be quoted for it: search, read, hold against the subjects.

Knows the order of the steps and which documents meet what a question names. Decides by `weigh`.
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

from kb_service.domain.ports import PassageReader, Searcher
from kb_service.domain.queries import Passage, Query, Reranking
from kb_service.domain.questions import Question, QuestionKind, Subject, SubjectKind
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.language.events import event_kinds
from kb_service.language.furniture import is_furniture
from kb_service.language.kinds import kind_of
from kb_service.language.offices import is_of_another_office
from kb_service.language.papers import paper_date, papers_named, standing_of
from kb_service.language.questions import coverage, text_terms
from kb_service.language.rows import units_about
from kb_service.language.scripts import is_across
from kb_service.language.text import normalise
from kb_service.language.transliteration import spellings
from kb_service.services.asking import Phase, PhaseEvent
from kb_service.services.assembly import RevisionTexts
from kb_service.services.evidence import (
    MIN_CONFIDENCE,
    MIN_PINNED_CONFIDENCE,
    Evidence,
    ReadDocument,
    weigh,
)
from kb_service.services.named import Named
from kb_service.services.passage_search import PassageSearch

MIN_OWN_SHARE, MAX_CARRIED_SHARE = 0.6, 0.5
"""A question is of its own when another document has so much of the rarity of its words, and those
of the conversation no more than this share of that. Chosen by hand, looking at a trial."""

HEAD_CHARS = 2000
"""So many characters of a document are looked at for what a question names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one question found, and what of it may be quoted.

    `nearest`: the cosine of the nearest text in its language, where one is known.
    """

    question: Question
    passages: tuple[Passage, ...]
    evidence: Evidence
    reranking: Reranking | None
    nearest: float | None = None

    @property
    def is_across(self) -> bool:
        """True when nothing was found but in another language than the question's."""
        return all(is_across(self.question.language, p.text) for p in self.passages)

    def says_more_than(self, other: "Finding") -> bool:
        """True when this has something to quote, or its documents name more of the subjects."""
        if not self.evidence.is_empty:
            return True
        return bool(self.passages) and len(self.evidence.missing) < len(other.evidence.missing)


class Finder:
    """Searches one base and reads what it finds. Safe to share between threads."""

    def __init__(
        self,
        search: PassageSearch,
        retriever: Searcher,
        texts: RevisionTexts,
        reader: PassageReader,
    ) -> None:
        self._search, self._retriever = search, retriever
        self._texts, self._reader = texts, reader

    def find(
        self, query: Query, named: Named, pinned: Sequence[str] = ()
    ) -> Generator[PhaseEvent, None, Finding]:
        """Return what may be quoted; documents that a conversation speaks of are asked first.

        Only when they say nothing of it the others are asked too, and only when these do not
        either, nor hold the question's words, the documents in another language alone. Yields when
        reading begins.
        """
        if pinned and not query.filters.document_ids:
            filters = replace(query.filters, document_ids=tuple(pinned))
            found = yield from self._find(replace(query, filters=filters), named, is_pinned=True)
            if not found.evidence.is_empty:
                return found
        found = yield from self._find(query, named, is_pinned=False)
        evidence = found.evidence
        if not evidence.is_empty or evidence.is_elsewhere or found.is_across:
            return found
        across = yield from self._find(
            replace(query, is_across=True), named, is_pinned=False, nearest=found.nearest
        )
        return across if across.says_more_than(found) else found

    def _find(
        self, query: Query, named: Named, *, is_pinned: bool, nearest: float | None = None
    ) -> Generator[PhaseEvent, None, Finding]:
        """Read what a search finds; a document of the conversation need not name its subject.

        `nearest`: as in a Finding, of a search before that was not across languages.
        """
        question = query.question
        required = Named() if is_pinned else named
        context = self._search.find(query, named.subjects)
        idf = self._retriever.idf(query.kb_id, question.terms)
        yield PhaseEvent(Phase.READING)
        near = context.nearness
        nearest = near.own if nearest is None else nearest
        documents = {
            name: replace(document, farther=near.farther(name, nearest))
            for name, document in self._documents(query, required, context.passages, idf).items()
        }
        readings = self._read(question, named, context.passages, documents, idf)
        evidence = weigh(
            readings,
            documents,
            is_named=is_pinned or named.is_one,
            asks_state=kind_of(question) is QuestionKind.YES_NO,
            min_confidence=MIN_PINNED_CONFIDENCE if is_pinned else MIN_CONFIDENCE,
        )
        return Finding(question, context.passages, evidence, context.reranking, nearest)

    def _read(
        self,
        question: Question,
        named: Named,
        passages: Sequence[Passage],
        documents: Mapping[str, ReadDocument],
        idf: Mapping[str, float],
    ) -> tuple[Reading, ...]:
        """Read each passage behind a title that says which subjects its document names.

        A page in the middle of a report seldom repeats what the report is about.
        """
        shown = [
            introduced(p, question.normalised, named, documents[p.document_id].unmet)
            for p in passages
        ]
        original = {passage.number: passage for passage in passages}
        readings = (
            replace(reading, passage=original[reading.passage.number])
            for reading in self._reader.read(question, shown, idf)
        )
        is_count = kind_of(question) is QuestionKind.COUNT
        return tuple(
            r
            for r in readings
            if not (is_count and _is_of_other_kind(r, named))
            and not is_of_another_office(question.normalised, normalise(_around(r)))
        )

    def _documents(
        self,
        query: Query,
        named: Named,
        passages: Sequence[Passage],
        idf: Mapping[str, float],
    ) -> dict[str, ReadDocument]:
        texts = _texts(passages)
        files = {p.document_id: p.document_name for p in passages}
        unmet = {
            name: named.unmet(f"{text}\n{files[name]}", query.question.language)
            for name, text in texts.items()
        }
        if any(unmet.values()):
            unmet = self._looked_up(query, named, texts, passages)
        names = papers_named(texts)
        return {
            name: ReadDocument(
                unmet=unmet[name],
                coverage=max(
                    coverage(query.question.terms, text_terms(f"{p.title}\n{p.text}"), idf)
                    for p in passages
                    if p.document_id == name
                ),
                dated=_dated(text),
                is_across=is_across(query.question.language, text),
                standing=standing_of(text.partition("\n")[0]),
                names=names[name],
            )
            for name, text in texts.items()
        }

    def _looked_up(
        self, query: Query, named: Named, texts: Mapping[str, str], passages: Sequence[Passage]
    ) -> dict[str, tuple[Subject, ...]]:
        """Look for what the passages do not name: at the head of each document, then in its index.

        A report names its subject and day on the first page and answers on another.
        """
        first = {p.document_id: p for p in reversed(passages)}
        places = [(first[name].revision_id, TextSpan(0, 0)) for name in texts]
        heads = self._texts.stretches(places, HEAD_CHARS)
        unmet = {
            name: named.unmet(
                f"{text}\n{first[name].document_name}\n{head.text if head else ''}",
                query.question.language,
            )
            for (name, text), head in zip(texts.items(), heads, strict=True)
        }
        forms = {form for subjects in unmet.values() for s in subjects for form in _whole(s)}
        stated = self._retriever.stating(query.kb_id, forms, list(texts)) if forms else {}
        return {
            name: tuple(
                s for s in subjects if not any(name in stated.get(f, ()) for f in _whole(s))
            )
            for name, subjects in unmet.items()
        }


def _is_of_other_kind(reading: Reading, named: Named) -> bool:
    """True where a sentence tells of happenings, and of none of the kind that is counted."""
    asked = {form for s in named.subjects if s.kind is SubjectKind.EVENT for form in s.forms}
    told = event_kinds(normalise(_around(reading)))
    return bool(asked and told) and not asked & told


def _around(reading: Reading) -> str:
    """The sentences, fields or rows that a reading lies in."""
    passage = reading.passage
    around = [u.span.of(passage.text) for u in passage.units if u.span.overlap(reading.span)]
    return " ".join((*around, reading.words))


def is_of_its_own(
    question: Question,
    meant: Collection[str],
    carried: Sequence[Finding],
    typed: Sequence[Finding],
    idf: Mapping[str, float],
) -> bool:
    """True when what a question in a conversation says stands in another document than those meant.

    `meant`: the documents of the conversation. `carried`: found for the question with what it
    leaves out; `typed`: for it as it stands. Names that no rule knows for names (the anti-fraud
    meeting) bring a new subject so. False where no document is meant: nothing to compare with.
    """
    (first, *_), (own, *_) = carried, typed
    told = own.evidence.readings
    other = told[0].passage if told else next(iter(own.passages), None)
    if other is None or not meant or other.document_id in meant or not question.terms:
        return False
    if is_across(question.language, other.text):
        return False

    def share(found: Finding, documents: Collection[str]) -> float:
        texts = [f"{p.title}\n{p.text}" for p in found.passages if p.document_id in documents]
        return max((coverage(question.terms, text_terms(t), idf) for t in texts), default=0.0)

    says = share(own, {other.document_id})
    return says >= MIN_OWN_SHARE and share(first, meant) <= says * MAX_CARRIED_SHARE


def read_of(found: Finding) -> tuple[str, ...]:
    """Return the documents that are quoted for a question."""
    quoted = (reading.passage.document_id for reading in found.evidence.readings)
    return tuple(dict.fromkeys(quoted))


def introduced(passage: Passage, asked: str, named: Named, unmet: Sequence[Subject]) -> Passage:
    """Return a passage as it is read: behind what its document is about, without others' rows.

    The title also says the subjects and times of the question that the document meets. `asked`:
    the normalised question.
    """
    title, lacking = normalise(passage.title), {subject.span for subject in unmet}
    told = [s.text for s in named.subjects if s.span not in lacking]
    told += [time.words for time in named.times if time.window.span not in lacking]
    told = [words for words in told if normalise(words) not in title]
    said = [u for u in passage.units if not is_furniture(u.span.of(passage.text))]
    units = units_about(passage.text, said, asked, named.subjects)
    return replace(passage, title=" ".join((passage.title, *told)), units=units)


def _whole(subject: Subject) -> tuple[str, ...]:
    """The forms that mean the subject wherever they stand; a place without its ending does not."""
    is_place = subject.kind is SubjectKind.PLACE
    forms = subject.forms[:1] if is_place else subject.forms
    return tuple(dict.fromkeys((*forms, *spellings(subject.forms))))


def _texts(passages: Sequence[Passage]) -> dict[str, str]:
    """The title and the passages of each document, in order."""
    found: dict[str, str] = {}
    for passage in passages:
        found.setdefault(passage.document_id, passage.title)
        found[passage.document_id] += f"\n{passage.text}"
    return found


def _dated(text: str) -> str:
    """The date of a document from its title and words, sortable; empty where it has none."""
    title, _, words = text.partition("\n")
    return str(paper_date(title, words) or "")


def numbered_together(
    findings: Sequence[Finding],
) -> tuple[tuple[Passage, ...], tuple[Finding, ...]]:
    """Number the passages of several findings as one list; what stands in two is numbered once."""
    if len(findings) == 1:
        return findings[0].passages, tuple(findings)
    numbered: dict[tuple[int, TextSpan], Passage] = {}
    for passage in (p for found in findings for p in found.passages):
        key = (passage.revision_id, passage.span)
        numbered.setdefault(key, replace(passage, number=len(numbered) + 1))

    def renumbered(reading: Reading) -> Reading:
        old = reading.passage
        return replace(reading, passage=numbered[old.revision_id, old.span])

    return tuple(numbered.values()), tuple(
        replace(
            found,
            passages=tuple(numbered[p.revision_id, p.span] for p in found.passages),
            evidence=_renumbered(found.evidence, renumbered),
        )
        for found in findings
    )


def _renumbered(evidence: Evidence, anew: Callable[[Reading], Reading]) -> Evidence:
    nearest = anew(evidence.nearest) if evidence.nearest else None
    return replace(evidence, readings=tuple(map(anew, evidence.readings)), nearest=nearest)
