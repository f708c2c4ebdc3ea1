"""What questions over many documents cost: a ledger of 50,000 rows, 100,000 reports.

    python -m benchmarks.many_records [--rows 50000] [--documents 100000] [--postgres]

A real server reads the ledger and some hundred reports; the reports are then multiplied in the
database, each with another day and number. Typed queries are run in this process over the same
database, with the server's setting of the collector: milliseconds (of CPU; with PostgreSQL, which
computes elsewhere, of time), the least of several runs behind one that is not measured, how many
passed in brackets, and how many statements.
"""

import argparse
import gc
import itertools
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, event, func, insert, select

from benchmarks.facts import SHAPES, drawing, made_record, texts_of
from benchmarks.race import postgres
from benchmarks.service import Service
from kb_service.cli import COLLECT_EVERY
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import ByPeriod, Counted, Measure, Operation, RecordQuery
from kb_service.services.querying import QueryRunner
from kb_service.storage.database import Database, open_database
from kb_service.storage.facts.tables import facts, records
from kb_service.storage.records.store import RecordStore
from kb_service.storage.tables import documents, revisions

REPORTS = 100
RUNS = 3
COPIES_AT_ONCE = 20
_MONTH = Filters(
    time_from=datetime.fromisoformat("2022-03-01"), time_to=datetime.fromisoformat("2022-04-01")
)
_YEAR = Filters(
    time_from=datetime.fromisoformat("2022-01-01"), time_to=datetime.fromisoformat("2023-01-01")
)
_FIRES = Filters(kind=("fire",))
QUERIES: Mapping[str, RecordQuery] = {
    "count of all": RecordQuery(Operation.COUNT),
    "count of a kind in a month": RecordQuery(Operation.COUNT, _MONTH.merged(_FIRES)),
    "count of a year": RecordQuery(Operation.COUNT, _YEAR),
    "count with three injured or more": RecordQuery(
        Operation.COUNT, Filters(fields=(FieldFilter("injured", min=3),))
    ),
    "kinds of a place": RecordQuery(Operation.GROUP, Filters(place=("quarry",)), by="kind"),
    "places of a kind": RecordQuery(Operation.GROUP, _FIRES, by="place"),
    "all by kind": RecordQuery(Operation.GROUP, by="kind"),
    "a year by month": RecordQuery(Operation.TREND, _YEAR, by=ByPeriod.MONTH),
    "loss of a year": RecordQuery(Operation.SUM, _YEAR, field="loss"),
    "injured of all by kind": RecordQuery(
        Operation.GROUP, field="injured", by="kind", measure=Measure.SUM
    ),
    "the ten with the most injured": RecordQuery(Operation.TOP, field="injured", limit=10),
    "first page of a list": RecordQuery(Operation.LIST, limit=50),
    "first page of a kind": RecordQuery(Operation.LIST, _FIRES, limit=50),
    "count of documents": RecordQuery(Operation.COUNT, of=Counted.DOCUMENTS),
}


def main() -> None:
    """Fill a base of each sort, and print a row a query."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-records-") as name:
        folder = Path(name)
        with postgres(folder) if options.postgres else nullcontext("") as given:
            url = given or f"sqlite:///{folder / 'data' / 'kb.sqlite3'}"
            ledger, reports = _read(folder, url, options.rows)
            database = open_database(url)
            _multiply(database, reports, options.documents // REPORTS)
            _print(database, {"ledger, ms": ledger, "reports, ms": reports})
            database.close()


def _read(folder: Path, url: str, num_rows: int) -> tuple[str, str]:
    """Let a server read a ledger and reports; return the bases."""
    content = tomllib.loads(SHAPES.read_text(encoding="utf-8"))
    shapes = {shape["name"]: shape for shape in content["shape"]}
    values = content["values"]["en"]
    draw = drawing("2026 many records")
    service = Service(folder / "data", KB_DATABASE_URL=url, KB_RETRIEVAL__DENSE_WEIGHT="0")
    service.start()
    ledger, reports = service.create_kb("ledger"), service.create_kb("reports")
    shape = shapes["dispatch log, en"]
    made = [made_record(draw, shape, values) for _ in range(num_rows)]
    rows = [
        [record.written[shape["columns"][name]] for name in shape["columns"]] for record in made
    ]
    lines = [",".join(f'"{cell}"' for cell in row) for row in ([*shape["columns"]], *rows)]
    began = time.monotonic()
    service.upload(ledger, [("ledger.csv", "\n".join(lines).encode())])
    service.wait_idle(ledger)
    print(f"a ledger of {num_rows} rows is searchable after {time.monotonic() - began:.1f} s")
    form = shapes["form, en"]
    texts = texts_of(form, [made_record(draw, form, values) for _ in range(REPORTS)])
    service.upload(reports, [(f"{n}.txt", t.encode()) for n, (t, _) in enumerate(texts)])
    service.wait_idle(reports)
    service.stop()
    return ledger, reports


def _multiply(database: Database, kb_id: str, times: int) -> None:
    """Copy every document of a base with what it states, each copy some days and numbers on."""
    with database.read() as connection:
        own = select(documents.c.id).where(documents.c.kb_id == kb_id)
        rows = {
            documents: _rows(connection, documents, documents.c.kb_id == kb_id),
            revisions: _rows(connection, revisions, revisions.c.document_id.in_(own)),
            records: _rows(connection, records, records.c.kb_id == kb_id),
            facts: _rows(connection, facts, facts.c.kb_id == kb_id),
        }
        stride = 1 + connection.execute(select(func.max(revisions.c.id))).scalar_one()
    for first in range(1, times, COPIES_AT_ONCE):
        copies = range(first, min(first + COPIES_AT_ONCE, times))
        with database.write() as connection:
            for table, found in rows.items():
                copied = [_copy(table, row, copy, stride) for copy in copies for row in found]
                connection.execute(insert(table), copied)


def _rows(connection: Connection, table: Table, condition: Any) -> list[dict[str, Any]]:  # noqa: ANN401  SQLAlchemy
    return [dict(row) for row in connection.execute(select(table).where(condition)).mappings()]


def _copy(table: Table, row: Mapping[str, Any], copy: int, stride: int) -> dict[str, Any]:
    made = dict(row)
    if table is documents:
        made |= {"id": f"{row['id']}-{copy}", "name": f"{copy}-{row['name']}"}
    elif table is revisions:
        made |= {"id": row["id"] + copy * stride, "document_id": f"{row['document_id']}-{copy}"}
    else:
        made["revision_id"] += copy * stride
    if table in (records, facts):
        made["incident"] = None if row["incident"] is None else row["incident"] + copy * stride
    if table is records:
        made["document_id"] += f"-{copy}"
        made["number"] = row["number"] and f"{row['number']}-{copy}"
        made["occurrence"] = row["occurrence"] and f"{row['occurrence']}-{copy}"
    if table is facts:
        del made["id"]
        for name in ("time_from", "time_to"):
            made[name] = row[name] and row[name] + timedelta(days=copy % 400)
        if row["field"] == "number":
            made |= {name: f"{row[name]}-{copy}" for name in ("text", "value")}
    return made


def _print(database: Database, bases: Mapping[str, str]) -> None:
    gc.set_threshold(COLLECT_EVERY)
    runner = QueryRunner(RecordStore(database))
    print(f"| | {' | '.join(f'{name} | statements' for name in bases)} |")
    print(f"|---|{'---|---|' * len(bases)}")
    for name, query in QUERIES.items():
        cells = itertools.chain.from_iterable(
            _measured(database, runner, kb_id, query) for kb_id in bases.values()
        )
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _measured(
    database: Database, runner: QueryRunner, kb_id: str, query: RecordQuery
) -> Sequence[str]:
    with _fetching(database) as fetched:
        matched = runner.run(kb_id, query).tally.matched
    clock = time.process_time if database.is_sqlite else time.perf_counter
    seconds = []
    for _ in range(RUNS):
        began = clock()
        runner.run(kb_id, query)
        seconds.append(clock() - began)
    return f"{1000 * min(seconds):.0f} ({matched})", f"{len(fetched)}"


@contextmanager
def _fetching(database: Database) -> Iterator[list[None]]:
    """Yield a list that grows by one with each statement."""
    seen: list[None] = []

    def count(*_: object) -> None:
        seen.append(None)

    event.listen(database.engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", count)


if __name__ == "__main__":
    sys.exit(main())
