"""What the first question waits for after many new documents, and who brings them into the index.

    python -m benchmarks.after_ingest [--before 1000] [--documents 1000 5000]

A reader has a base open; a writer makes short documents searchable (without vectors) and publishes
as the worker does. Then the reader is asked: as it is, and after it had time to follow. Seconds of
the wall and of CPU; the documents are made up.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from benchmarks.ask_costs import PLAIN, REPAIRED, fill, opened
from kb_service.operations import Services
from kb_service.parts import ServiceParts
from kb_service.services.searching import SearchRequest
from retrievers import library

PUBLISH_EVERY = 200


def made_up(first: int, last: int) -> dict[str, str]:
    """Return short reports by name."""
    return {
        f"{n:06}.txt": f"Incident QX-{n}. The valve of line {n} leaked.{REPAIRED}"
        for n in range(first, last)
    }


def write(parts: ServiceParts, kb_id: str, first: int, last: int) -> None:
    """Make documents searchable, and publish now and then."""
    for start in range(first, last, PUBLISH_EVERY):
        fill(parts, kb_id, made_up(start, min(start + PUBLISH_EVERY, last)))
        parts.retriever().refresh(kb_id)


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of the wall and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(writer: ServiceParts, folder: Path, kb_id: str, first: int, last: int) -> None:
    """Print what the first search costs after these documents, by how they get there."""
    ways = {"replayed by the question": 10**9, "opened by the question": library.MAX_REPLAYED}
    readers = [opened(folder) for _ in (*ways, "followed")]
    entered = [reader.__enter__() for reader in readers]

    def search(services: Services) -> Callable[[], object]:
        return lambda: services.searching.search(SearchRequest(kb_id, PLAIN))

    for _, services in entered:
        search(services)()
    write(writer, kb_id, first, last)
    for (way, limit), (_, services) in zip(ways.items(), entered, strict=False):
        with patch.object(library, "MAX_REPLAYED", limit):
            told(last - first, way, timed(search(services)))
    parts, services = entered[-1]
    told(last - first, "followed, by nobody's question", timed(lambda: parts.retriever().follow()))
    told(last - first, "the question after that", timed(search(services)))
    for reader in readers:
        reader.__exit__(None, None, None)


def told(num_documents: int, what: str, seconds: tuple[float, float]) -> None:
    """Print one row."""
    print(f"{num_documents:6} {what:32} {seconds[0]:7.3f} s, CPU {seconds[1]:7.3f} s", flush=True)


def main() -> None:
    """Print the rows for each number of documents."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=int, default=1000)
    parser.add_argument("--documents", type=int, nargs="*", default=[1000, 5000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as (parts, services):
        kb_id = services.bases.create("growth").id
        write(parts, kb_id, 0, arguments.before)
        first = arguments.before
        for num_documents in arguments.documents:
            measure(parts, Path(folder), kb_id, first, first + num_documents)
            first += num_documents


if __name__ == "__main__":
    main()
