"""How well the lit words of an answer are those that answer, found among all texts of a set.

    python -m benchmarks.lit_words --data DIR [--set NAME …] [--limit N] [--seed N] [--show]

Every paragraph of a reading set in one base, the service as it is by default, a seeded sample of
the questions. F1 of the lit words over tokens (0 for a refusal); what the paragraphs do not answer
must be refused.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.cross_answers import opened
from benchmarks.memory_base import KB, load_corpus
from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.evaluation.questions import LabelledQuestion, sample
from kb_service.evaluation.wording import bag_f1, contains
from kb_service.services.asking import AskRequest

VERDICTS = ("right", "wrong", "refused")
SETS = ("dev/zh_drcd", "dev/zh_cmrc2018_trial", "dev/en_squad")
HEAD = "| set | n | F1 | right | wrong | refused | not answerable | refused |\n" + "|---" * 8 + "|"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question and what became of it."""

    question: LabelledQuestion
    answer: Answer

    @property
    def lit(self) -> str:
        """The words lit in the answer, empty where none are."""
        lit = self.answer.highlight
        return lit.of(self.answer.answer) if lit else ""

    @property
    def f1(self) -> float:
        """Of the lit words against the nearest right answer; 0 for none."""
        return bag_f1(self.lit, self.question.answers) if self.lit else 0.0

    @property
    def verdict(self) -> str:
        """right, wrong or refused."""
        if self.answer.status is AnswerStatus.REFUSED:
            return "refused"
        is_said = contains(self.answer.answer, self.question.answers)
        return "right" if self.question.is_answerable and is_said else "wrong"


def outcomes(data: Path, name: str, limit: int | None, seed: int) -> Iterator[Outcome]:
    """Yield what becomes of the questions of a set."""
    corpus = load_corpus(data, name)
    with opened(corpus.documents) as service:
        for question in sample(corpus.questions, limit, seed):
            yield Outcome(question, service.ask(AskRequest(KB, question.text)))


def row(name: str, of: Sequence[Outcome]) -> str:
    """Return a line of the table."""
    answerable = [one for one in of if one.question.is_answerable]
    others = [one for one in of if not one.question.is_answerable]
    f1 = 100 * fmean(one.f1 for one in answerable) if answerable else 0.0
    counts = [sum(one.verdict == word for one in answerable) for word in VERDICTS]
    refused = sum(one.verdict == "refused" for one in others)
    cells = [name, len(answerable), f"{f1:.1f}", *counts, len(others), refused]
    return f"| {' | '.join(map(str, cells))} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line a set, and each answer when asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with dev/ and train/")
    parser.add_argument("--set", nargs="+", default=SETS, dest="sets")
    parser.add_argument("--limit", type=int, default=200, help="questions of a set")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", action="store_true", help="print every answer")
    options = parser.parse_args(arguments)
    print(HEAD, flush=True)
    for name in options.sets:
        of = []
        for one in outcomes(options.data, name, options.limit, options.seed):
            of.append(one)
            if options.show:
                asked, wanted = one.question.text, one.question.answers[:1]
                sys.stderr.write(f"{one.verdict} {one.f1:.2f} | {asked} | {wanted} | {one.lit}\n")
        print(row(name, of), flush=True)


if __name__ == "__main__":
    main()
