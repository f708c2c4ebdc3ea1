"""The evaluation of one base from end to end: questions in, a report out.

The sequence only: resolve names → retrieve → ask each reader → summarise → compare. Knows no
concrete retriever, reader or file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import NotFound
from kb_service.domain.ports import Retriever
from kb_service.evaluation.grounding import StoredText
from kb_service.evaluation.judging import Outcome, document_aliases, resolved
from kb_service.evaluation.kinds import count_by_kind
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.evaluation.ranking import Scores, expected_scores
from kb_service.evaluation.report import MIB, Report, SetReport
from kb_service.evaluation.resampling import Resampling
from kb_service.evaluation.resources import peak_memory_bytes
from kb_service.evaluation.summaries import (
    PairedComparison,
    SystemSummary,
    compare,
    summarise_answers,
    summarise_rankings,
    values_of,
)
from kb_service.evaluation.trials import Answering, ask_all, nothing, retrieve_all, to_retrieve

COMPARED = ("f1", "contains")


@dataclass(frozen=True, slots=True)
class BaseUnderTest:
    """A base and what is asked of it. `documents`: id -> name; the last reader is in force.

    `today`: the day on which the questions are asked; None: this one.
    """

    kb: KnowledgeBase
    documents: Mapping[str, str]
    retriever: Retriever
    readers: Mapping[str, Answering]
    stored_text: StoredText
    embedding_model: str
    today: date | None = None


@dataclass(frozen=True, slots=True)
class BaseTrial:
    """What came of it. `outcomes`: reader -> one outcome per question."""

    report: Report
    outcomes: Mapping[str, Sequence[Outcome]]

    @property
    def num_failed(self) -> int:
        """Questions that ended in an error, over all readers."""
        return sum(row.num_failed for part in self.report.sets for row in part.answers)


def evaluate_base(
    base: BaseUnderTest,
    questions: Sequence[LabelledQuestion],
    resampling: Resampling,
    run: Mapping[str, str | int],
    told: Callable[[], None] = nothing,
) -> BaseTrial:
    """Retrieve and ask every question; return report and outcomes. `told`: after each step.

    Raises NotFound (knowledge_base_empty) when nothing can be found in the base.
    """
    if base.kb.num_chunks == 0:
        raise NotFound(
            f"knowledge base {base.kb.name!r} has no searchable documents",
            code="knowledge_base_empty",
        )
    aliases = document_aliases(base.documents)
    named = [resolved(question, aliases) for question in questions]
    asked = [question for question, _ in named]
    unknown = sorted({name for _, names in named for name in names})
    rankings = _rankings(base, asked, resampling, told)
    outcomes = {
        name: ask_all(asked, reader, base.kb.id, base.stored_text, told, base.today)
        for name, reader in base.readers.items()
    }
    answers = [summarise_answers(name, found, resampling) for name, found in outcomes.items()]
    comparisons = _compared(base.kb.name, outcomes, resampling)
    facts = _facts(base, asked, unknown)
    *_, in_force = outcomes
    kinds = {in_force: count_by_kind(outcomes[in_force])}
    part = SetReport(base.kb.name, facts, rankings, answers, comparisons, kinds)
    report = Report(f"Evaluation of {base.kb.name}", run, [part], notes=_notes(unknown))
    return BaseTrial(report, outcomes)


def num_steps(questions: Sequence[LabelledQuestion], num_readers: int) -> int:
    """Return how often `evaluate_base` will tell of its progress."""
    return len(to_retrieve(questions)) + num_readers * len(questions)


def _rankings(
    base: BaseUnderTest,
    questions: Sequence[LabelledQuestion],
    resampling: Resampling,
    told: Callable[[], None],
) -> list[SystemSummary]:
    found = retrieve_all(questions, base.retriever, base.kb.id, told)
    rows = []
    random_order = [_random_order(item.question, len(base.documents)) for item in found]
    if any(random_order):
        rows.append(summarise_rankings("random order", random_order, resampling))
    if found:
        scores, seconds = [item.scores for item in found], [item.seconds for item in found]
        rows.append(summarise_rankings("retrieval", scores, resampling, seconds))
    return rows


def _random_order(question: LabelledQuestion, num_documents: int) -> Scores:
    """Return the level of a random order of documents; pages are not counted, so none for them."""
    documents = {place.document for place in question.relevant}
    if not documents or any(place.page_number for place in question.relevant):
        return {}
    return expected_scores(len(documents), num_documents)


def _compared(
    base_name: str, outcomes: Mapping[str, Sequence[Outcome]], resampling: Resampling
) -> list[PairedComparison]:
    *others, in_force = outcomes
    return [
        compare(metric, (other, {base_name: before}), (in_force, {base_name: after}), resampling)
        for metric in COMPARED
        for other in others
        if (before := values_of(metric, (o.scores for o in outcomes[other])))
        and (after := values_of(metric, (o.scores for o in outcomes[in_force])))
    ]


def _facts(
    base: BaseUnderTest, questions: Sequence[LabelledQuestion], unknown: Sequence[str]
) -> dict[str, str | int]:
    num_answerable = sum(question.is_answerable for question in questions)
    return {
        "questions": len(questions),
        "answerable": num_answerable,
        "unanswerable": len(questions) - num_answerable,
        "documents": len(base.documents),
        "chunks": base.kb.num_chunks,
        "relevant documents not in the base": len(unknown),
        "peak memory MB": (peak_memory_bytes() or 0) // MIB,
    }


def _notes(unknown: Sequence[str]) -> list[str]:
    if not unknown:
        return []
    names = ", ".join(unknown[:5])
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    return [f"Named as relevant, not in the base, left out of retrieval figures: {names}{more}."]
