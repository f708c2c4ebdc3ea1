"""One question against one reply: every metric that applies to it, as a number from 0 to 1.

Knows which metric applies to which question; what a metric computes is its own module's. Does not
ask, and knows nothing of tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from kb_service.domain.answers import Answer, AnswerStatus, CitationStatus
from kb_service.domain.queries import ScoredChunk
from kb_service.evaluation.grounding import (
    StoredText,
    citation_precision,
    citation_recall,
    cited_sentences,
    is_verbatim,
    quotations_hold,
)
from kb_service.evaluation.questions import LabelledQuestion, RelevantPlace
from kb_service.evaluation.ranking import HIT_CUTOFFS, Scores, score_found
from kb_service.evaluation.wording import (
    bag_f1,
    compact,
    contains,
    exact_match,
    stands_in,
    substring_f1,
)

FAILED = "failed"
"""Status of a question that raised an error in place of an answer; it counts as wrong."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question. `scores`: metrics that apply, 0..1; `words`: what was scored.

    `is_verified`: some citation of the answer is.
    """

    question: LabelledQuestion
    status: str
    reason: str | None
    answer: str
    words: str
    seconds: float
    scores: Scores = field(default_factory=dict)
    is_verified: bool = False

    @property
    def is_refused(self) -> bool:
        """True for a refusal; an error is none."""
        return self.status == AnswerStatus.REFUSED


def judge_answer(
    question: LabelledQuestion, answer: Answer, stored_text: StoredText, seconds: float
) -> Outcome:
    """Score one answer. The typed words are scored where the reader named them, else all words."""
    is_refused = answer.status is AnswerStatus.REFUSED
    text = "" if is_refused else answer.answer
    words = answer.highlight.of(text) if answer.highlight and text else text
    scores: Scores = {}
    if question.is_answerable:
        scores |= _wording_scores(question, text, words) | _gold_scores(question, answer)
    if text:
        scores |= _grounding_scores(answer, stored_text)
    return Outcome(
        question,
        answer.status.value,
        answer.reason,
        answer.answer,
        words,
        seconds,
        scores,
        any(citation.status is CitationStatus.VERIFIED for citation in answer.citations),
    )


def judge_failure(question: LabelledQuestion, code: str, seconds: float) -> Outcome:
    """Score an error in place of an answer: wrong in every way that asks for the right words."""
    keys = ("f1", "em", "bag_f1", "contains", "cites_answer") if question.is_answerable else ()
    return Outcome(question, FAILED, code, "", "", seconds, dict.fromkeys(keys, 0.0))


def judge_ranking(question: LabelledQuestion, items: Sequence[ScoredChunk]) -> Scores:
    """Score ranked chunks: by relevant places where they are known, by gold words where there are.

    `question.relevant` must name document ids (see `resolved`). A chunk holds the answer when its
    words do and, where relevant places are known, it lies in one of them.
    """
    scores: Scores = {}
    if question.relevant:
        scores |= score_found(_places(question.relevant, items), question.relevant)
    if question.answers:
        texts = [
            item.chunk.draft.text
            if not question.relevant or _matched(question.relevant, item)
            else ""
            for item in items
        ]
        scores |= {f"holds@{k}": float(stands_in(texts[:k], question.answers)) for k in HIT_CUTOFFS}
    return scores


def document_aliases(documents: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return what a document may be called in a question file -> the ids so called.

    `documents`: id -> name. A document is known by its id, its name, and its name without folder
    or suffix.
    """
    aliases: dict[str, set[str]] = {}
    for document_id, name in documents.items():
        path = PurePosixPath(name)
        for alias in (document_id, name, path.name, path.stem):
            aliases.setdefault(alias, set()).add(document_id)
    return {alias: frozenset(ids) for alias, ids in aliases.items()}


def resolved(
    question: LabelledQuestion, aliases: Mapping[str, frozenset[str]]
) -> tuple[LabelledQuestion, list[str]]:
    """Return the question with document ids in place of names, and the names that are unknown.

    A name is tried as it stands, then without its folder, then with hyphens for its slashes.
    """
    places: list[RelevantPlace] = []
    unknown: list[str] = []
    for place in question.relevant:
        name = place.document
        tried = (name, PurePosixPath(name).name, name.replace("/", "-"))
        ids = next((aliases[written] for written in tried if written in aliases), None)
        if ids is None:
            unknown.append(name)
        else:
            places += [RelevantPlace(document, place.page_number) for document in sorted(ids)]
    return replace(question, relevant=tuple(dict.fromkeys(places))), unknown


def _wording_scores(question: LabelledQuestion, text: str, words: str) -> Scores:
    golds = question.answers
    return {
        "f1": substring_f1(words, golds),
        "em": exact_match(words, golds),
        "bag_f1": bag_f1(words, golds),
        "contains": float(contains(text, golds)),
    }


def _gold_scores(question: LabelledQuestion, answer: Answer) -> Scores:
    """Score citations by what people marked, not by the answer: a refusal cites nothing."""
    cited = [citation.cited_text for citation in answer.citations]
    # A long answer may be cited sentence by sentence: the citations count one after the other.
    scores = {"cites_answer": float(contains("\n".join(cited), question.answers))}
    if question.evidence:
        scores["cites_evidence"] = float(_touch(cited, question.evidence))
    if question.relevant and cited:
        documents = {place.document for place in question.relevant}
        right = sum(citation.document_id in documents for citation in answer.citations)
        scores["cites_document"] = right / len(cited)
        scores["other_document"] = float(right < len(cited))
    return scores


def _touch(cited: Iterable[str], evidence: Iterable[str]) -> bool:
    pairs = ((compact(c), compact(e)) for c in cited for e in evidence)
    return any(c in e or e in c for c, e in pairs)


def _grounding_scores(answer: Answer, stored_text: StoredText) -> Scores:
    sentences = cited_sentences(answer)
    scores = {
        "citation_recall": citation_recall(sentences),
        "citation_precision": citation_precision(sentences),
        "verbatim": float(is_verbatim(answer)),
    }
    if answer.citations:
        scores["quotes_hold"] = quotations_hold(answer.citations, stored_text)
    return scores


def _places(relevant: Sequence[RelevantPlace], items: Sequence[ScoredChunk]) -> list[RelevantPlace]:
    """Return the ranking as places: a chunk stands for those it lies in, else for its own."""
    by_page = any(place.page_number for place in relevant)
    ranked: list[RelevantPlace] = []
    for item in items:
        page = item.regions[0].page_number if by_page and item.regions else None
        own = RelevantPlace(item.chunk.document_id, page)
        ranked += _matched(relevant, item) or [own]
    return ranked


def _matched(relevant: Sequence[RelevantPlace], item: ScoredChunk) -> list[RelevantPlace]:
    pages = {region.page_number for region in item.regions}
    return [
        place
        for place in relevant
        if place.document == item.chunk.document_id
        and (place.page_number is None or place.page_number in pages)
    ]
