"""How exactly questions over many made-up reports are answered: number and documents behind it.

    python -m benchmarks.record_questions [--records 400] [--seed 2026]

Reports of the shapes on which facts were developed, and of those that are only measured, stand in a
base each; the truth is what was drawn. A question is right when its number and the set of documents
that are counted are.
"""

import argparse
import sys
import tomllib
from calendar import month_name
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from benchmarks.facts import SHAPES, Made, drawing, made_record, texts_of
from benchmarks.made_up_base import Base, made_up_base
from kb_service.domain.facts import UNKNOWN
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import Operation
from kb_service.language.asked import parse_question
from kb_service.language.tables import kind_name
from kb_service.services.across import AcrossDocuments
from kb_service.services.named import named_in
from kb_service.services.planning import planned_for
from kb_service.services.querying import QueryResult
from kb_service.storage.records.store import RecordStore

TODAY = date(2025, 6, 1)


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


def answered(base: Base, text: str) -> QueryResult | None:
    """Return what a question gives, None where it gets no query."""
    question, store = parse_question(text), RecordStore(base.database)
    named = named_in(question, TODAY)
    planned = planned_for(question, named, Filters(), base.kb_id, store, TODAY)
    if planned is None or planned.query is None:
        return None
    return AcrossDocuments(store, base.catalog.revisions).found(base.kb_id, planned.query)


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
    content = tomllib.loads(SHAPES.read_text(encoding="utf-8"))
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


def main() -> int:
    """Print the shares of questions that were right. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=400, help="of each shape")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", action="store_true", help="print what went wrong, if developed")
    options = parser.parse_args()
    for is_developed in (True, False):
        verdicts = measured(options, is_developed=is_developed)
        share = 100 * verdicts["right"] / verdicts.total()
        name = "developed" if is_developed else "only measured"
        sys.stdout.write(f"{name}: {share:.1f} % of {verdicts.total()} right, {dict(verdicts)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
