"""Whether segments and Milvus find the same passages for the questions of the demonstration.

    python -m benchmarks.same_passages [--top 20]

The demonstration's reports are ingested once, with the shipped encoder. Then every question is
searched twice, over the same database: in segments, and in a file of milvus-lite (extras `milvus`
and `dev`). Counts of questions; nothing is timed.
"""

import argparse
import json
import logging
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kb_service.bootstrap import compose
from kb_service.domain.queries import Query, ScoredChunk
from kb_service.language.asked import parse_question
from kb_service.model_parts import build_models
from kb_service.parts import ServiceParts, build_parts
from kb_service.services.demo import DEMO_FOLDER
from kb_service.settings import IndexSettings, RerankSettings, Settings

SAME = "the same, with the same scores"
ABOUT = 1e-5
"""Scores that differ by less are equal; their chunks may change places."""


def opened(folder: Path, url: str) -> ServiceParts:
    """Return the parts over a data folder with the index at `url`, without a reranker."""
    settings = Settings(
        data_dir=folder, rerank=RerankSettings(model=""), index=IndexSettings(url=url)
    )
    return build_parts(settings, build_models(settings))


def fill(parts: ServiceParts, reports: Sequence[Path]) -> str:
    """Ingest reports, with their vectors; return the base's id."""
    services = compose(parts)
    services.intake.take_in("demo", reports, is_waiting=True)
    return str(services.bases.show("demo").id)


def found(parts: ServiceParts, kb_id: str, question: str, top: int) -> tuple[ScoredChunk, ...]:
    """Return what a search finds, best first."""
    return parts.retriever().retrieve(Query(kb_id, parse_question(question), top)).items


def difference(left: tuple[ScoredChunk, ...], right: tuple[ScoredChunk, ...]) -> str:
    """Say how two rankings differ: not at all, in the order of equal scores, or in passages."""
    ids = [[item.chunk.id for item in items] for items in (left, right)]
    if ids[0] == ids[1]:
        is_near = all(
            abs(a.scores[leg] - b.scores[leg]) <= ABOUT * max(abs(a.scores[leg]), 1.0)
            for a, b in zip(left, right, strict=True)
            for leg in a.scores
        )
        return SAME if is_near else "the same, with other scores"
    if set(ids[0]) == set(ids[1]):
        return "the same passages in another order"
    return "other passages"


def compared(
    folder: Path, reports: Sequence[Path], questions: Sequence[str], top: int
) -> Counter[str]:
    """Return how many of the questions find the same, by how they differ."""
    segments, milvus = opened(folder / "data", ""), opened(folder / "data", str(folder / "m.db"))
    verdicts: Counter[str] = Counter()
    try:
        kb_id = fill(segments, reports)
        milvus.retriever().rebuild(kb_id)
        for question in questions:
            pair = [found(parts, kb_id, question, top) for parts in (segments, milvus)]
            verdicts[difference(pair[0], pair[1])] += 1
        if outage := milvus.outages()["index"]:
            raise outage
    finally:
        segments.close()
        milvus.close()
    return verdicts


def asked() -> list[str]:
    """Return the questions of the demonstration."""
    lines = (DEMO_FOLDER / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["question"] for line in lines]


def main() -> None:
    """Print how many questions find the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--top", type=int, default=20)
    top = parser.parse_args().top
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    reports, questions = sorted(DEMO_FOLDER.glob("*.pdf")), asked()
    with tempfile.TemporaryDirectory() as place:
        verdicts = compared(Path(place), reports, questions, top)
    print(f"{len(questions)} questions, the first {top} passages: {dict(verdicts)}")


if __name__ == "__main__":
    main()
