"""Fits how sure a reading is: a logistic regression over the two numbers of the network.

As the service reads: the passages that share most with a question are read together, and what
counts is whether the best reading of all is right. The sets are ones that the weights were not
trained on: the development sets, invented papers of another seed, and the held ones of those that
were written by hand. Writes the three numbers into the model's config.json.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.encoder.folder import CONFIG_FILE, read_config
from kb_service.generation.passage_reader import Confidence, ScoredSpan, TrainedReader
from kb_service.generation.span_scorer import CONFIDENCE, EncoderScorer
from kb_service.language.asked import parse_question
from kb_service.language.mentions import unmentioned
from kb_service.language.questions import coverage, text_terms
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise
from kb_service.language.units import quotable_units
from training.model_folder import write_checksums
from training.reader.asking import ask
from training.reader.hand_written import papers as held_papers
from training.reader.introducing import introduced
from training.reader.passages import Asked
from training.reader.reports import HELD
from training.reader.sources import read_set
from training.reader.writing import LAYOUTS, paper

SETS = ("en_squad", "zh_drcd", "zh_cmrc2018_trial")
NUM_BESIDE = 8
"""So many passages are read together, the asked one or not."""

ASKED_EACH = 4
"""Questions of an invented paper; those that name no incident of their own are left out."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """A question with the answers that are right (none where it has none) and what is read."""

    question: str
    answers: tuple[str, ...]
    passages: tuple[Passage, ...]


def calibrate(
    folder: Path, data: Path, scorer: EncoderScorer, num_each: int, log_line: Callable[[str], None]
) -> Confidence:
    """Fit on `num_each` questions of every set; write the numbers into the model folder."""
    reader = TrainedReader(scorer, NUM_BESIDE)
    trials = [*_of_sets(data, num_each), *_of_papers(num_each), *_of_written(2 * num_each)]
    read = [(trial, list(_read(trial, reader))) for trial in trials]
    fitted = scorer.confidence
    for turn in range(4):  # which reading is best depends on the fit
        rows, right = zip(*_best(read, fitted), strict=True)
        fitted = fit(np.array(rows), np.array(right))
        log_line(f"{turn}: {len(rows)} readings, {sum(right):.0f} right, {fitted}")
    config = read_config(folder)
    numbers = {name: round(getattr(fitted, name), 4) for name in ("margin", "answerable", "bias")}
    text = json.dumps(config | {CONFIDENCE: numbers}, indent=2, ensure_ascii=False) + "\n"
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    write_checksums(folder)
    return fitted


def fit(rows: Numbers, right: Numbers, ridge: float = 1e-2) -> Confidence:
    """The most likely weights (N, 2) -> (N,), by Newton's method with a small ridge.

    The logit of there being an answer counts only where it speaks for one: it goes along with the
    margin, and a negative weight would say that what looks answerable is not.
    """
    weights = _newton(np.column_stack((rows, np.ones(len(rows)))), right, ridge)
    if weights[1] < 0:
        margin, bias = _newton(np.column_stack((rows[:, 0], np.ones(len(rows)))), right, ridge)
        return Confidence(float(margin), 0.0, float(bias))
    return Confidence(*map(float, weights))


def _newton(given: Numbers, right: Numbers, ridge: float) -> Numbers:
    weights = np.zeros(given.shape[1])
    for _ in range(100):
        likely = 1 / (1 + np.exp(-np.clip(given @ weights, -50, 50)))
        spread = (likely * (1 - likely))[:, None]
        curve = (given * spread).T @ given + ridge * np.eye(given.shape[1])
        weights += np.linalg.solve(curve, given.T @ (right - likely) - ridge * weights)
    return weights


def _best(
    read: Sequence[tuple[Trial, list[ScoredSpan]]], fitted: Confidence
) -> Iterator[tuple[tuple[float, float], float]]:
    for trial, found in read:
        best = max(found, key=lambda of: fitted.of(of.margin, of.answerable), default=None)
        if best is not None:
            quoted = normalise(_quoted(best))
            right = any(normalise(answer) in quoted for answer in trial.answers)
            yield (best.margin, best.answerable), float(right)


def _read(trial: Trial, reader: TrainedReader) -> Iterator[ScoredSpan]:
    question = parse_question(trial.question)
    return reader.scored(question, reader.windows(question, trial.passages, {}))


def _quoted(of: ScoredSpan) -> str:
    """The sentences or fields that a reading lies in, as an answer quotes them."""
    touched = [unit.span for unit in of.passage.units if unit.span.overlap(of.span)]
    return "\n".join(span.of(of.passage.text) for span in touched or [of.span])


def _of_sets(data: Path, num_each: int) -> Iterator[Trial]:
    for name in SETS:
        rows = read_set(data / "dev" / f"{name}.jsonl.gz")
        shelf = Shelf([(row.title, row.title, row.context) for row in rows])
        for row in random.Random(name).sample(rows, min(num_each, len(rows))):  # noqa: S311 - no secret
            answers = (row.context[slice(*row.answer)],) if row.answer else ()
            yield Trial(row.question, answers, shelf.find(row.question))


def _of_papers(num_each: int) -> Iterator[Trial]:
    rng = random.Random("calibration")  # noqa: S311 - no secret
    kinds = [(lang, of) for lang in ("zh", "en") for of in LAYOUTS if (lang, of) not in HELD]
    papers = [paper(*rng.choice(kinds), rng) for _ in range(num_each)]
    shelf = Shelf([(str(n), of.title, of.text) for n, of in enumerate(papers)])
    for of in papers * ASKED_EACH:
        asked = ask(of, rng)
        if asked and any(of.facts[name] in asked.question for name in ("place", "number")):
            answers = (asked.text[slice(*asked.answer)],) if asked.answer else ()
            yield Trial(asked.question, answers, shelf.find(asked.question))


def _of_written(num_asked: int) -> Iterator[Trial]:
    of = held_papers(held=True)
    shelf = Shelf([(str(n), paper.title, paper.text) for n, paper in enumerate(of)])
    asked = [
        (wording, paper.text[slice(*question.answer)] if question.answer else None)
        for paper in of
        for question in paper.questions
        for wording in question.wordings
        if subjects_in(parse_question(wording))
    ]
    rng = random.Random("written")  # noqa: S311 - no secret
    for wording, answer in rng.sample(asked, min(num_asked, len(asked))):
        yield Trial(wording, (answer,) if answer else (), shelf.find(wording))


class Shelf:
    """Documents of contexts (document, title, text), searched as the service searches."""

    def __init__(self, contexts: Sequence[tuple[str, str, str]]) -> None:
        self._contexts = list(dict.fromkeys(contexts))
        self._terms = [text_terms(f"{title}\n{text}") for _, title, text in self._contexts]
        self._documents: dict[str, str] = {}
        for document, title, text in self._contexts:
            known = self._documents.get(document, title)
            self._documents[document] = f"{known}\n{text}"
        counts = Counter(term for of in self._terms for term in of)
        self._idf = {t: log((len(self._terms) + 1) / (n + 0.5)) for t, n in counts.items()}

    def find(self, asked: str) -> tuple[Passage, ...]:
        """The passages that share most with a question, of documents that meet its subjects."""
        question = parse_question(asked)
        shares = [coverage(question.terms, of, self._idf) for of in self._terms]
        order = sorted(range(len(shares)), key=lambda n: -shares[n])[: 3 * NUM_BESIDE]
        subjects = subjects_in(question)
        met = {
            name: not unmentioned(subjects, normalise(self._documents[name]), question.language)
            for name in {self._contexts[n][0] for n in order}
        }
        kept = [self._contexts[n] for n in order if met[self._contexts[n][0]]][:NUM_BESIDE]
        return tuple(_passage(n + 1, asked, title, text) for n, (_, title, text) in enumerate(kept))


def _passage(number: int, question: str, title: str, text: str) -> Passage:
    shown = introduced(Asked(question, title, text, None)).title
    units = tuple(quotable_units(text))
    name = f"doc_{number}"
    return Passage(number, number, name, 1, "", shown, TextSpan(0, len(text)), text, 1.0, units)
