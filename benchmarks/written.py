"""How papers are answered that were written by hand and never trained on, the whole way.

    python -m benchmarks.written [--alone] [--file NAME] [--trained N] [--show]

The held papers of training/reader/written_papers. By default they lie in one base with those that
were trained on and only questions are asked that name something; `--alone`: every paper is a base
of its own and all its questions are asked. Right: the answer has the words; for what a paper does
not say: it is refused, or told what is missing. `--trained N`: N papers trained on in their place.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cross_answers import opened
from benchmarks.memory_base import KB
from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.evaluation.wording import compact
from kb_service.language.asked import parse_question
from kb_service.language.subjects import subjects_in
from kb_service.services.asking import AskRequest
from training.reader.hand_written import named_papers
from training.reader.written import Question, WrittenPaper

Named = tuple[str, WrittenPaper]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a wording of a question. `name`: of the paper it was asked of."""

    name: str
    wording: str
    words: str | None
    answer: Answer

    @property
    def verdict(self) -> str:
        """right, wrong or refused; of what is not said refused or wrong."""
        if self.answer.status is AnswerStatus.REFUSED:
            return "refused"
        if self.words is None:
            return "refused" if self.answer.missing else "wrong"
        is_said = compact(self.words) in compact(self.answer.answer)
        cited = {citation.document_id for citation in self.answer.citations}
        return "right" if is_said and cited == {self.name} else "wrong"


def documents(of: Sequence[Named]) -> dict[str, tuple[str, str]]:
    """Papers as a base in memory: name -> (title, text)."""
    return {name: (paper.title, paper.text) for name, paper in of}


def questions_of(paper: WrittenPaper, *, names_something: bool) -> Iterator[tuple[str, Question]]:
    """The wordings of its questions, or of them those that name something."""
    for question in paper.questions:
        for wording in question.wordings:
            if not names_something or subjects_in(parse_question(wording)):
                yield wording, question


def measured(chosen: Sequence[Named], among: Sequence[Named] | None) -> Iterator[Outcome]:
    """Ask of every chosen paper, in one base with others or in a base of its own."""
    if among is not None:
        with opened(documents(among)) as service:
            for name, paper in chosen:
                for wording, question in questions_of(paper, names_something=True):
                    answer = service.ask(AskRequest(KB, wording))
                    yield Outcome(name, wording, _words(paper, question), answer)
        return
    for name, paper in chosen:
        with opened(documents([(name, paper)])) as service:
            for wording, question in questions_of(paper, names_something=False):
                answer = service.ask(AskRequest(KB, wording))
                yield Outcome(name, wording, _words(paper, question), answer)


def _words(paper: WrittenPaper, question: Question) -> str | None:
    return None if question.answer is None else paper.text[slice(*question.answer)]


def table(found: Sequence[Outcome]) -> Iterator[str]:
    """Yield a row a file and one of all, as Markdown."""
    yield "| papers | asked | right | wrong | refused | not said | refused | answered |"
    yield "|---|---|---|---|---|---|---|---|"
    files = dict.fromkeys(one.name.rpartition("-")[0] for one in found)
    for name in (*files, ""):
        some = [one for one in found if one.name.startswith(name)]
        said = [one.verdict for one in some if one.words is not None]
        unsaid = [one.verdict for one in some if one.words is None]
        counts = [_share(said, verdict) for verdict in ("right", "wrong", "refused")]
        others = [_share(unsaid, verdict) for verdict in ("refused", "wrong")]
        cells = (name or "all", len(said), *counts, len(unsaid), *others)
        yield f"| {' | '.join(map(str, cells))} |"


def _share(verdicts: Sequence[str], wanted: str) -> str:
    return f"{100 * verdicts.count(wanted) / max(1, len(verdicts)):.1f} %"


def main() -> None:
    """Print the table, and each question with its answer when asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--alone", action="store_true", help="every paper is a base of its own")
    parser.add_argument("--file", help="the papers of one file alone are asked")
    parser.add_argument("--trained", type=int, default=0, help="papers trained on, in their place")
    parser.add_argument("--show", action="store_true", help="print every answer")
    options = parser.parse_args()
    everything = [*named_papers(held=False), *named_papers(held=True)]
    chosen = list(named_papers(held=not options.trained))
    if options.trained:
        chosen = chosen[:: max(1, len(chosen) // options.trained)][: options.trained]
    if options.file:
        chosen = [one for one in chosen if one[0].startswith(Path(options.file).stem)]
    if not chosen:
        parser.error(f"no paper of {options.file!r} is there")
    found = []
    among = None if options.alone else everything
    for one in measured(chosen, among):
        found.append(one)
        if options.show:
            said = one.answer.answer.replace("\n", " ")[:120]
            print(one.verdict, one.name, one.wording, f"[{one.words}]", one.answer.reason, said,
                  sep=" | ", flush=True)  # fmt: skip
    sys.stdout.write("\n".join(table(found)) + "\n")


if __name__ == "__main__":
    main()
