"""How exactly questions over many made-up reports are answered: number and documents behind it.

    python -m benchmarks.record_questions [--records 400] [--seed 2026]

Reports of the shapes on which facts were developed, and of those that are only measured, stand in a
base each; the truth is what was drawn. A question is right when its number and the set of documents
that are counted are.
"""

import argparse
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.facts import SHAPES, Made, drawing, made_record, texts_of
from kb_service.domain.documents import ChunkDraft, Page, PageKind, ParsedDocument
from kb_service.domain.facts import UNKNOWN
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import Operation
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.language.tables import kind_name
from kb_service.services.across import AcrossDocuments
from kb_service.services.named import named_in
from kb_service.services.planning import planned_for
from kb_service.services.querying import QueryResult
from kb_service.storage.blobs import BlobStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import open_database
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.records.store import RecordStore
from kb_service.storage.revisions.publishing import RevisionPublisher

TODAY = date(2025, 6, 1)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


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
            en_text = f"How many {en} incidents were there in {MONTHS[month - 1]} 2023?"
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


class Base:
    """A base of made-up reports."""

    def __init__(self, folder: Path) -> None:
        self._database = open_database(f"sqlite:///{folder / 'kb.sqlite3'}")
        self._database.migrate()
        self._blobs = BlobStore(folder / "blobs")
        self._catalog = Catalog(self._database, self._blobs)
        self._jobs = JobQueue(self._database)
        self._publisher = RevisionPublisher(self._database, self._blobs)
        self.kb_id = self._catalog.bases.create("made up").id
        self.store = RecordStore(self._database)
        self._across = AcrossDocuments(self.store, self._catalog.revisions)

    def add(self, name: str, text: str) -> str:
        """Make a text searchable; return the id of its document."""
        staged = self._blobs.stage(text.encode(), 1_000_000)
        documents = self._catalog.documents
        outcome = documents.register(self.kb_id, name, staged, "text/plain")
        claim = self._jobs.claim("benchmark")
        if claim is None:
            raise RuntimeError("the job is gone")
        span = TextSpan(0, len(text))
        parsed = ParsedDocument(text, (Page(1, span, PageKind.TEXT),))
        self._publisher.publish(claim, parsed, [ChunkDraft(0, span, text)])
        return outcome.document.id

    def answer(self, text: str) -> QueryResult | None:
        """Return what a question gives, None where it gets no query."""
        question = parse_question(text)
        named = named_in(question, TODAY)
        planned = planned_for(question, named, Filters(), self.kb_id, self.store, TODAY)
        if planned is None or planned.query is None:
            return None
        return self._across.found(self.kb_id, planned.query)


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
    with tempfile.TemporaryDirectory() as folder:
        base = Base(Path(folder))
        for shape in shapes:
            draw = drawing((options.seed, shape["name"]))
            values = content["values"][shape["language"]]
            records = [made_record(draw, shape, values) for _ in range(options.records)]
            for number, (text, held) in enumerate(texts_of(shape, records)):
                document = base.add(f"{shape['name']} {number}.txt", text)
                told += [Told(made, document) for made in held]
        for asked in questions(told):
            found = verdict(asked, base.answer(asked.text))
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
