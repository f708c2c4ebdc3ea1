"""How exactly questions over many made-up reports are answered: number and documents behind it.

    python -m benchmarks.record_questions [--records 400] [--seed 2026] [--fresh]

Reports of the shapes on which facts were developed, and of those that are only measured, stand in a
base each; the truth is what was drawn. A question is right when its number and the set of documents
that are counted are. `--fresh`: a thousand questions, put together of kinds, times and what is
asked, over the shapes of other hands, a base each.
"""

import argparse
import random
import sys
import tomllib
from calendar import month_name
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.everyday import FRESH_QUESTIONS, filled_with_shape
from benchmarks.facts import (
    FRESH_SHAPES,
    SHAPES,
    Made,
    drawing,
    made_record,
    shapes_in,
    texts_of,
)
from benchmarks.made_up_base import made_up_base
from benchmarks.record_verdicts import Held, answered
from benchmarks.record_verdicts import verdict as judged
from kb_service.domain.facts import UNKNOWN
from kb_service.domain.record_queries import Operation
from kb_service.language.tables import kind_name
from kb_service.services.querying import QueryResult

NUM_FRESH, FRESH_RECORDS = 1000, 90


@dataclass(frozen=True, slots=True)
class Told:
    """A record that was drawn, and the document that tells it."""

    made: Made
    document_id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its true number, and the documents of the records that it counts."""

    kind: str
    text: str
    number: float
    documents: frozenset[str]


def questions(told: Sequence[Told]) -> Iterator[Asked]:
    """Yield counts by kind and time, sums, and counts of those with somebody hurt."""
    for kind in sorted({one.made.truth["kind"] for one in told}):
        zh, en = kind_name(kind, "zh"), kind_name(kind, "en")
        of_kind = [one for one in told if one.made.truth["kind"] == kind]
        for year in ("2022", "2023"):
            chosen = [one for one in of_kind if one.made.truth["time"].startswith(year)]
            yield from _counts(f"{year}年发生了多少起{zh}？", f"how many {en} in {year}", chosen)
            hurt = f"{year}年{zh}一共造成多少人受伤"
            en_hurt = f"How many people were injured in total in {en} incidents in {year}?"
            yield from _sums(hurt, en_hurt, "injured", chosen)
        for month in (3, 8):
            prefix = f"2023-{month:02}"
            chosen = [one for one in of_kind if one.made.truth["time"].startswith(prefix)]
            en_text = f"How many {en} incidents were there in {month_name[month]} 2023?"
            yield from _counts(f"2023年{month}月有几起{zh}", en_text, chosen)
        dead = [one for one in of_kind if _number(one, "dead") >= 1]
        en_text = f"How many {en} incidents with at least 1 deaths?"
        yield from _counts(f"死亡1人以上的{zh}有多少起", en_text, dead)


def _counts(zh: str, en: str, chosen: Sequence[Told]) -> Iterator[Asked]:
    documents = frozenset(one.document_id for one in chosen)
    for text in (zh, en):
        yield Asked("count", text, len(chosen), documents)


def _sums(zh: str, en: str, field: str, chosen: Sequence[Told]) -> Iterator[Asked]:
    documents = frozenset(one.document_id for one in chosen)
    stated = [number for one in chosen if (number := _number(one, field)) >= 0]
    for text in (zh, en):
        yield Asked("sum", text, sum(stated), documents)


def _number(one: Told, field: str) -> float:
    """The number of a field, below zero where it is not stated or not known."""
    written = one.made.truth.get(field, UNKNOWN)
    return -1 if written == UNKNOWN else float(written)


def verdict(asked: Asked, result: QueryResult | None) -> str:
    """Return `right`, `refused`, or what is wrong."""
    if result is None:
        return "refused"
    number: float = result.tally.matched
    if result.query.op is Operation.SUM:
        number = sum(one.value for one in result.numbers)
    if number != asked.number:
        return "number"
    return "right" if result.counted == asked.documents else "documents"


def measured(options: argparse.Namespace, *, is_developed: bool) -> Counter[str]:
    """Return the verdicts over a base of some shapes."""
    content = shapes_in(SHAPES)
    shapes = [one for one in content["shape"] if one["developed"] is is_developed]
    told: list[Told] = []
    verdicts: Counter[str] = Counter()
    with made_up_base() as base:
        for shape in shapes:
            draw = drawing((options.seed, shape["name"]))
            values = content["values"][shape["language"]]
            records = [made_record(draw, shape, values) for _ in range(options.records)]
            for number, (text, held) in enumerate(texts_of(shape, records)):
                document = base.add(f"{shape['name']} {number}.txt", text)
                told += [Told(made, document) for made in held]
        for asked in questions(told):
            found = verdict(asked, answered(base, asked.text))
            verdicts[found] += 1
            if found != "right" and options.show and is_developed:
                sys.stdout.write(f"{found}: {asked.text}\n")
    return verdicts


def put_together(
    draw: random.Random, templates: Mapping[str, Any], held: Held, number: int
) -> Iterator[tuple[str, str, str]]:
    """Yield different questions, what is made of the records, and conditions of those meant."""
    kinds, rows = templates["kinds"], list(held.rows.values())
    every = product(sorted(kinds), templates["times"], templates["asks"])
    for kind, (when, within), (text, op, wanted) in draw.sample(list(every), number):
        of = {**draw.choice(rows), "kind": kind, "what": kinds[kind], "when": when}
        yield text.format(**of), op, f"{wanted.format(**of)}; {within}"


def fresh(options: argparse.Namespace, *, is_developed: bool) -> Counter[str]:
    """Return the verdicts over the bases of the shapes of other hands, by kind of question."""
    known, verdicts = shapes_in(FRESH_SHAPES), Counter[str]()
    templates = tomllib.loads(FRESH_QUESTIONS.read_text(encoding="utf-8"))["templates"]
    for shape in (one for one in known["shape"] if one["developed"] is is_developed):
        language = shape["language"]
        with made_up_base() as base:
            values = known["values"][language]
            held = filled_with_shape(base, shape, values, options.seed, FRESH_RECORDS)
            draw = drawing((options.seed, shape["name"], "questions"))
            each = NUM_FRESH // len(known["shape"])
            for text, op, wanted in put_together(draw, templates[language], held, each):
                found = judged(held, op, wanted, answered(base, text))
                verdicts[found] += 1
                if found != "right" and options.show and is_developed:
                    sys.stdout.write(f"{found}: {shape['name']}: {text} [{op}; {wanted}]\n")
    return verdicts


def main() -> int:
    """Print the shares of questions that were right. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=400, help="of each shape")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", action="store_true", help="print what went wrong, if developed")
    parser.add_argument("--fresh", action="store_true", help="questions and shapes of other hands")
    options = parser.parse_args()
    for is_developed in (True, False):
        measure = fresh if options.fresh else measured
        verdicts = measure(options, is_developed=is_developed)
        share = 100 * verdicts["right"] / verdicts.total()
        name = "developed" if is_developed else "only measured"
        sys.stdout.write(f"{name}: {share:.1f} % of {verdicts.total()} right, {dict(verdicts)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
