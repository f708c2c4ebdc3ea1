"""What one question costs: how often its text is read, queries and rows, CPU by size.

    python -m benchmarks.ask_costs [--documents 100 2000] [--chars 40000 4000000]

The documents are made up and stored as ingest stores them, without vectors; the services are the
real ones with the extractive reader and without a reranker. Counts are the same on every machine.
"""

import argparse
import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from ingest.chunking import SentenceChunker
from kb_service.bootstrap import compose
from kb_service.domain.documents import Page, PageKind, ParsedDocument
from kb_service.domain.spans import TextSpan
from kb_service.language import text as language_text
from kb_service.language.text import normalise
from kb_service.language.units import UnitCutter
from kb_service.model_parts import build_models
from kb_service.operations import Services
from kb_service.parts import ServiceParts, build_parts
from kb_service.services.asking import AskRequest
from kb_service.services.searching import SearchRequest
from kb_service.settings import EmbeddingSettings, RerankSettings, Settings
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import Database
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.revisions.publishing import RevisionPublisher

IDENTIFIED = "What was replaced by the night shift in incident QX-7731?"
PLAIN = "Which valve was replaced by the night shift?"
NUM_CALLS = 15
REPAIRED = " It was replaced by the night shift after 40 minutes."
WORDS = ("pump", "valve", "crane", "boiler", "hall", "shift", "crew", "leak", "pressure", "water")


@dataclass
class Costs:
    """Counts of one call: `num_normalised` and `num_cut` are of the question and stored text."""

    num_queries: int = 0
    num_rows: int = 0
    num_normalised: int = 0
    num_cut: int = 0


def made_up_text(num_chars: int, seed: int = 1) -> str:
    """Return about so many characters of English, in paragraphs, with one incident of a number."""
    dice = random.Random(seed)
    number = 7731 if seed == 1 else 100000 + seed
    told = [f"Incident QX-{number}. The valve began to leak on 17 August 2024.{REPAIRED}"]
    size = len(told[0])
    while size < num_chars:
        sentences = [" ".join(dice.choices(WORDS, k=12)).capitalize() + "." for _ in range(5)]
        told.append(" ".join(sentences))
        size += len(told[-1]) + 2
    return "\n\n".join(told)[: max(num_chars, len(told[0]))]


@contextmanager
def opened(folder: Path) -> Iterator[tuple[ServiceParts, Services]]:
    """Yield the parts and the services over a folder, without models of their own."""
    settings = Settings(
        data_dir=folder,
        rerank=RerankSettings(model=""),
        embedding=EmbeddingSettings(model=str(folder / "none")),
    )
    parts = build_parts(settings, build_models(settings))
    services = compose(parts)
    try:
        yield parts, services
    finally:
        services.close()


def fill(parts: ServiceParts, kb_id: str, texts: Mapping[str, str]) -> None:
    """Make documents of one page searchable."""
    database = parts.storage().database
    catalog, jobs = Catalog(database, parts.blobs), JobQueue(database)
    publisher = RevisionPublisher(database, parts.blobs)
    for name, text in texts.items():
        staged = parts.blobs.stage(text.encode(), 100_000_000)
        catalog.documents.register(kb_id, name, staged, "text/plain")
        claim = jobs.claim("benchmark")
        if claim is None:
            raise RuntimeError("the job of an upload is not there")
        parsed = ParsedDocument(text, (Page(1, TextSpan(0, len(text)), PageKind.TEXT),))
        chunks = SentenceChunker().chunk(parsed, name)
        publisher.publish(claim, parsed, chunks)


@contextmanager
def counted(database: Database, question: str) -> Iterator[Costs]:
    """Count what is done meanwhile in this process. Rows are counted on SQLite only."""
    costs = Costs()
    own = {question, normalise(question)}

    def note_query(*details: object) -> None:
        costs.num_queries += str(details[2]).startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))

    def note_rows(connection: Any, *_: object) -> None:  # noqa: ANN401  a driver's connection
        connection.row_factory = note_row

    def note_no_rows(connection: Any, *_: object) -> None:  # noqa: ANN401
        connection.row_factory = None

    def note_row(_: object, row: tuple[object, ...]) -> tuple[object, ...]:
        costs.num_rows += 1
        return row

    def note_normalised(form: str, text: str) -> str:
        costs.num_normalised += text in own
        return unicodedata.normalize(form, text)

    def note_cut(cutter: UnitCutter, text: str) -> object:
        costs.num_cut += 1
        return cut(cutter, text)

    unicodedata, cut = language_text.unicodedata, UnitCutter.units
    heard = {
        "after_cursor_execute": note_query,
        "checkout": note_rows,
        "checkin": note_no_rows,
    }
    for name, listener in heard.items():
        event.listen(database.engine, name, listener)
    with (
        patch.object(language_text, "unicodedata") as folding,
        patch.object(UnitCutter, "units", note_cut),
    ):
        folding.normalize = note_normalised
        yield costs
    for name, listener in heard.items():
        event.remove(database.engine, name, listener)


def costs_of(parts: ServiceParts, question: str, call: Callable[[], object]) -> Costs:
    """Return the counts of a call, made once before so that everything is open."""
    call()
    with counted(parts.storage().database, question) as costs:
        call()
    return costs


def least_cpu_s(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Return the least CPU of each call, all threads of the process together; made in turns."""
    least = [math.inf] * len(calls)
    for _ in range(NUM_CALLS):
        for number, call in enumerate(calls):
            began = time.process_time()
            call()
            least[number] = min(least[number], time.process_time() - began)
    return least


def _print_counts(parts: ServiceParts, services: Services, num_documents: int) -> None:
    kb_id = services.bases.create(f"{num_documents} documents").id
    texts = {f"{n:05}.txt": made_up_text(3000, n) for n in range(1, num_documents + 1)}
    fill(parts, kb_id, texts)
    for question in (IDENTIFIED, PLAIN):
        ask = AskRequest(kb_id, question)
        search = SearchRequest(kb_id, question)
        for name, call in (
            ("ask", lambda ask=ask: services.answering().ask(ask)),
            ("search", lambda search=search: services.searching.search(search)),
        ):
            print(f"{num_documents:6} {name:7} {costs_of(parts, question, call)}", flush=True)


def _print_cpu(parts: ServiceParts, services: Services, sizes: Sequence[int]) -> None:
    bases = [services.bases.create(f"{num_chars} characters").id for num_chars in sizes]
    for kb_id, num_chars in zip(bases, sizes, strict=True):
        fill(parts, kb_id, {"long.txt": made_up_text(num_chars)})
    for question in (IDENTIFIED, PLAIN):
        calls = [partial(services.answering().ask, AskRequest(kb_id, question)) for kb_id in bases]
        for num_chars, seconds in zip(sizes, least_cpu_s(calls), strict=True):
            print(f"{num_chars:8} characters, ask: {1000 * seconds:6.1f} ms CPU  {question}")


def main() -> None:
    """Print counts by number of documents, and CPU by size of a document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="*", default=[100, 2000])
    parser.add_argument("--chars", type=int, nargs="*", default=[40_000, 4_000_000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as (parts, services):
        for num_documents in arguments.documents:
            _print_counts(parts, services, num_documents)
        _print_cpu(parts, services, arguments.chars)


if __name__ == "__main__":
    main()
