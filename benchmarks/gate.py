"""How the evidence gate was calibrated: what it keeps and what it refuses, by threshold.

    python -m benchmarks.gate --data DIR [--set train/zh_cmrc2018 …] [--limit N]

Each answerable question is weighed twice: with its BM25 passages, and with the closest passages of
other articles that do not hold its answer. Train sets only, so that dev sets stay unseen.
"""

import argparse
import random
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.answers import Shelf, sets_of
from kb_service.domain.queries import Query, ScoredChunk
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.evaluation.wording import contains
from kb_service.language.asked import parse_question
from kb_service.services.assembly import ContextAssembler
from kb_service.services.evidence import missing_slots, weigh_evidence

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
SETS = ("train/zh_cmrc2018", "train/zh_drcd", "train/en_squad")
NUM_PASSAGES = 6
SEED = 7


@dataclass
class Sample:
    """Coverages of a set's questions, and how often the slot check alone refused."""

    own: list[float] = field(default_factory=list)
    foreign: list[float] = field(default_factory=list)
    num_own_slots: int = 0
    num_foreign_slots: int = 0

    @property
    def auc(self) -> float:
        """Chance that an own coverage is above a foreign one."""
        pairs = [(a > b) + 0.5 * (a == b) for a in self.own for b in self.foreign]
        return sum(pairs) / len(pairs)


def weigh(shelf: Shelf, rows: list[LabelledQuestion]) -> Sample:
    """Weigh every question with its own and with foreign passages."""
    sample = Sample()
    assembler = ContextAssembler(
        shelf, shelf, max_passages=NUM_PASSAGES, passage_tokens=400, context_tokens=2400
    )
    for row in rows:
        question = parse_question(row.text)
        found = shelf.retrieve(Query("kb", question, 60)).items
        own_titles = {i.chunk.title for i in found if contains(i.chunk.draft.text, row.answers)}
        foreign = [item for item in found if _is_foreign(item, own_titles, row, shelf)]
        idf = shelf.idf("kb", question.terms)
        passages = assembler.assemble("kb", found[:20]).passages
        others = assembler.assemble("kb", foreign[:20]).passages
        sample.own.append(weigh_evidence(question, passages, idf).coverage)
        sample.foreign.append(weigh_evidence(question, others, idf).coverage)
        sample.num_own_slots += bool(missing_slots(question, passages))
        sample.num_foreign_slots += bool(missing_slots(question, others))
    return sample


def _is_foreign(
    item: ScoredChunk, own_titles: set[str], row: LabelledQuestion, shelf: Shelf
) -> bool:
    text = shelf.texts[item.chunk.document_id]
    return item.chunk.title not in own_titles and not contains(text, row.answers)


def main() -> None:
    """Print one table row per set and threshold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", dest="sets", action="append")
    parser.add_argument("--limit", type=int, default=300)
    options = parser.parse_args()
    print("| set | n | AUC | threshold | own kept % | foreign refused % | slots own | foreign |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.sets or SETS:
        shelf, rows = sets_of(options.data)[name]()
        rows = [row for row in rows if row.answers]
        rows = random.Random(SEED).sample(rows, min(options.limit, len(rows)))
        sample = weigh(shelf, rows)
        num = len(sample.own)
        for threshold in THRESHOLDS:
            kept = 100 * sum(c >= threshold for c in sample.own) / num
            refused = 100 * sum(c < threshold for c in sample.foreign) / num
            slots = f"{sample.num_own_slots} | {sample.num_foreign_slots}"
            print(
                f"| {name} | {num} | {sample.auc:.3f} | {threshold} | {kept:.1f} | {refused:.1f} "
                f"| {slots} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
