"""From a question to what may be quoted for it: search, read, hold against the subjects.

Knows the order of the steps and which documents meet what a question names. Decides by `weigh`.
"""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kb_service.domain.ports import PassageReader, Searcher
from kb_service.domain.queries import Passage, Query, Reranking
from kb_service.domain.questions import Question, QuestionKind, Subject, SubjectKind
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.language.background import asking_alone
from kb_service.language.kinds import kind_of
from kb_service.language.papers import paper_date, papers_named, standing_of
from kb_service.language.questions import coverage, text_terms
from kb_service.language.scripts import is_across
from kb_service.language.text import normalise
from kb_service.language.transliteration import spellings
from kb_service.services.asking import Phase, PhaseEvent
from kb_service.services.assembly import RevisionTexts
from kb_service.services.borne_out import borne_out
from kb_service.services.evidence import (
    MIN_CONFIDENCE,
    MIN_PINNED_CONFIDENCE,
    Evidence,
    ReadDocument,
    Shortfall,
    surest_own,
    weigh,
)
from kb_service.services.moments import told_at
from kb_service.services.named import Named
from kb_service.services.other_things import told_of_others
from kb_service.services.passage_search import PassageSearch
from kb_service.services.shown import has_clause, introduced, with_what_is_meant
from kb_service.services.told_cells import with_cells
from kb_service.services.told_lists import told_in_lists

MIN_OWN_SHARE, MAX_CARRIED_SHARE = 0.6, 0.5
"""A question is of its own when another document has so much of the rarity of its words, and those
of the conversation no more than this share of that. Chosen by hand, looking at a trial."""

HEAD_CHARS = 2000
"""So many characters of a document are looked at for what a question names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one question found, and what of it may be quoted.

    `nearest`: the cosine of the nearest text in its language, where one is known; `own`: how surely
    one in its language was read.
    """

    question: Question
    passages: tuple[Passage, ...]
    evidence: Evidence
    reranking: Reranking | None
    nearest: float | None = None
    own: float = 0.0

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
        self,
        query: Query,
        named: Named,
        pinned: Sequence[str] = (),
        typed: Question | None = None,
    ) -> Generator[PhaseEvent, None, Finding]:
        """Return what may be quoted; documents that a conversation speaks of are asked first.

        These also by the question as it was `typed`, for what they state as the field that it asks
        for: what it leaves out need not be said of them, and makes the model less sure. Only when
        they say nothing of it the others are asked too, and only when these do not either, nor hold
        the question's words, the documents in another language alone. Yields when reading begins.
        """
        if pinned and not query.filters.document_ids:
            filters = replace(query.filters, document_ids=tuple(pinned))
            asked = replace(query, filters=filters)
            found = yield from self._find(asked, named, is_pinned=True, typed=typed)
            if not found.evidence.is_empty:
                return found
        found = yield from self._find(query, named, is_pinned=False)
        evidence = found.evidence
        if not evidence.is_empty or evidence.is_elsewhere or found.is_across:
            return found
        across = yield from self._find(
            replace(query, is_across=True), named, is_pinned=False, before=found
        )
        return across if across.says_more_than(found) else found

    def _find(
        self,
        query: Query,
        named: Named,
        *,
        is_pinned: bool,
        before: Finding | None = None,
        typed: Question | None = None,
    ) -> Generator[PhaseEvent, None, Finding]:
        """Read what a search finds; a document of the conversation need not name its subject.

        `before`: what a search that was not across languages found.
        """
        question = query.question
        required = Named() if is_pinned else named
        context = self._search.find(query, named.subjects)
        idf = self._retriever.idf(query.kb_id, question.terms)
        yield PhaseEvent(Phase.READING)
        near = context.nearness
        nearest = before.nearest if before else near.own
        documents = {
            name: replace(document, farther=near.farther(name, nearest))
            for name, document in self._documents(query, required, context.passages, idf).items()
        }
        readings = self._read(question, named, context.passages, documents, idf)

        own = max(before.own if before else 0.0, surest_own(readings, documents))
        is_pointed_at = is_pinned or has_clause(context.passages, question)

        def weighed(readings: Sequence[Reading]) -> Evidence:
            return weigh(
                readings,
                documents,
                is_named=is_pinned or named.is_one,
                asks_state=kind_of(question) is QuestionKind.YES_NO,
                min_confidence=MIN_PINNED_CONFIDENCE if is_pointed_at else MIN_CONFIDENCE,
                own=own,
            )

        evidence = weighed(readings)
        if evidence.is_empty:
            again = self._read_again(question, named, context.passages, documents, idf, typed)
            evidence = next((told for r in again if not (told := weighed(r)).is_empty), evidence)
        is_unknown = evidence.shortfall is Shortfall.SUBJECT_UNKNOWN
        if is_unknown and any(not document.unmet for document in documents.values()):
            # A paper names it, of whose words none is left that could answer.
            evidence = replace(evidence, shortfall=Shortfall.NO_ANSWER, missing=(), nearest=None)
        return Finding(question, context.passages, evidence, context.reranking, nearest, own)

    def _read(
        self,
        question: Question,
        named: Named,
        passages: Sequence[Passage],
        documents: Mapping[str, ReadDocument],
        idf: Mapping[str, float],
    ) -> tuple[Reading, ...]:
        """Read each passage behind a title that says which subjects its document names.

        A page in the middle of a report seldom repeats what the report is about. A sentence that
        tells only of others of a series (workshop 2) answers nothing of the one that is named.
        """
        shown = [
            introduced(p, named, documents[p.document_id].unmet)
            for p in with_what_is_meant(passages, question, named)
        ]
        if lists := told_in_lists(question, passages, documents):
            return lists
        original = {passage.number: passage for passage in passages}

        def read_but(told: Collection[str]) -> Sequence[Reading]:
            rest = [p for p in shown if p.document_id not in told]
            return self._reader.read(question, rest, idf) if rest else ()

        readings = (
            replace(reading, passage=original[reading.passage.number])
            for reading in told_at(question, shown, documents)
            or with_cells(question, passages, documents, idf, named.told, read_but)
        )
        known = {name: normalise(text) for name, text in _texts(passages).items()}
        tells_of_another = told_of_others(question, named, known)
        return tuple(reading for reading in readings if not tells_of_another(reading))

    def _read_again(
        self,
        question: Question,
        named: Named,
        passages: Sequence[Passage],
        documents: Mapping[str, ReadDocument],
        idf: Mapping[str, float],
        typed: Question | None,
    ) -> Iterator[Sequence[Reading]]:
        """Yield what else may tell it: the words as they were typed, or the clause that asks alone.

        That clause leaves out what it asks of: only what says most of the question may answer it.
        """
        if typed is not None:
            again = self._read(typed, named, passages, documents, idf)
            yield borne_out(again, typed, MIN_PINNED_CONFIDENCE)
        if alone := asking_alone(question.text):
            told = _saying_most(passages, documents)
            yield self._read(parse_question(alone), named, told, documents, idf)

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


def _whole(subject: Subject) -> tuple[str, ...]:
    """The forms that mean the subject wherever they stand; a place without its ending does not."""
    is_place = subject.kind is SubjectKind.PLACE
    forms = subject.forms[:1] if is_place else subject.forms
    return tuple(dict.fromkeys((*forms, *spellings(subject.forms))))


def _saying_most(
    passages: Sequence[Passage], documents: Mapping[str, ReadDocument]
) -> list[Passage]:
    """Return the passages of the documents that say most of the question, whatever they lack."""
    most = max((document.coverage for document in documents.values()), default=0.0)
    return [p for p in passages if documents[p.document_id].coverage >= most > 0]


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
