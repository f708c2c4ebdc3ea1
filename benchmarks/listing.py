"""What one listing of documents costs in CPU, by documents, pages and chunks.

    python -m benchmarks.listing [--documents 100] [--pages 300] [--chunks 0]

The documents are made up, and each chunk has a vector of zeros; the list is asked for as the page
does, in one process, so the CPU is that of the whole call, reading its answer included.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from starlette.testclient import TestClient

from api.app import create_app
from kb_service.bootstrap import compose
from kb_service.domain.documents import (
    ChunkDraft,
    Page,
    PageKind,
    ParsedDocument,
    embedding_key,
)
from kb_service.domain.ports import EmbeddingProfile
from kb_service.domain.spans import TextSpan
from kb_service.model_parts import build_models
from kb_service.operations import Services
from kb_service.parts import ServiceParts, build_parts
from kb_service.settings import Settings
from kb_service.storage.catalog import Catalog
from kb_service.storage.embeddings import BYTES_PER_FLOAT, Embeddings
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.revisions.publishing import RevisionPublisher

PAGE_TEXT = "The pump failed at 07:42 and was repaired by the night shift. " * 30
CHUNK_CHARS = 50
PROFILE = EmbeddingProfile("zeros", 384, "0" * 64)
NUM_CALLS = 7
LISTED = 100


def fill(
    parts: ServiceParts, kb_id: str, num_documents: int, num_pages: int, num_chunks: int
) -> None:
    """Make documents of so many pages and chunks searchable, by meaning too."""
    ends = range(len(PAGE_TEXT), len(PAGE_TEXT) * num_pages + 1, len(PAGE_TEXT))
    pages = tuple(
        Page(number, TextSpan(end - len(PAGE_TEXT), end), PageKind.TEXT)
        for number, end in enumerate(ends, 1)
    )
    database = parts.storage().database
    catalog, jobs = Catalog(database, parts.blobs), JobQueue(database)
    publisher, embeddings = RevisionPublisher(database, parts.blobs), Embeddings(database)
    for number in range(num_documents):
        staged = parts.blobs.stage(str(number).encode(), 100)
        name = f"report-{number:05}.txt"
        catalog.documents.register(kb_id, name, staged, "text/plain")
        claim = jobs.claim("benchmark")
        if claim is None:
            raise RuntimeError("the job of an upload is not there")
        parsed = ParsedDocument(PAGE_TEXT * num_pages, pages)
        drafts = chunked(parsed.text, num_chunks, name)
        publisher.publish(claim, parsed, drafts)
        vector = bytes(BYTES_PER_FLOAT * PROFILE.dimension)
        embeddings.add(PROFILE, {embedding_key(draft.embedded_text): vector for draft in drafts})


def chunked(text: str, num_chunks: int, title: str) -> list[ChunkDraft]:
    """Return so many chunks from the start of a text, each embedded as words of its own."""
    spans = [
        TextSpan(start, start + CHUNK_CHARS)
        for start in range(0, CHUNK_CHARS * num_chunks, CHUNK_CHARS)
    ]
    return [
        ChunkDraft(number, span, span.of(text), prefix=f"{title}, {number}")
        for number, span in enumerate(spans)
    ]


def measure(services: Services, kb_id: str) -> dict[str, float]:
    """Return the least CPU of a listing of at most LISTED documents in seconds, and its bytes."""
    client = TestClient(create_app(services), base_url="http://127.0.0.1")
    costs, size_bytes = [], 0
    for _ in range(NUM_CALLS):
        before = time.process_time()
        answer = client.get(f"/kb/{kb_id}/documents", params={"limit": LISTED})
        costs.append(time.process_time() - before)
        answer.raise_for_status()
        size_bytes = len(answer.content)
    return {"cpu_s": round(min(costs), 3), "size_bytes": size_bytes}


def main() -> None:
    """Print the cost of one listing as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--chunks", type=int, default=0, help="of each document")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-listing-") as folder:
        settings = Settings(data_dir=Path(folder))
        parts = build_parts(settings, build_models(settings))
        services = compose(parts)
        kb_id = services.bases.create("reports").id
        fill(parts, kb_id, chosen.documents, chosen.pages, chosen.chunks)
        found = measure(services, kb_id)
        services.close()
    print(json.dumps({**vars(chosen), **found}))


if __name__ == "__main__":
    main()
