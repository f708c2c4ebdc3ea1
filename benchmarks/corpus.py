"""The demo PDFs through HTTP into one base, and every citation of their questions checked.

Uploads all PDFs, records wall time, pages/s and the page reports; asks the demo questions and
checks each citation against the stored text and against the words pdfium itself finds inside the
boxes of the original PDF.

    python -m benchmarks.corpus --data DIR --questions 300
"""

import argparse
import collections
import json
import random
import sys
import tempfile
import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pypdfium2

from benchmarks.memory_base import read_rows
from benchmarks.service import Service, running_service

FOLDERS = ("ntsb", "wikitech", "zh_synth")
QUESTION_FILES = {
    "ntsb": "demo/en_ntsb_qa",
    "zh_synth": "demo/zh_synth_incident_qa",
    "law": "dev/zh_law_article_lookup",
}
BOX_MARGIN = 1.0
"""Points added around a box before asking pdfium for its text: it takes whole characters only."""


def demo_pdfs(data: Path) -> dict[str, Path]:
    """Return the demo PDFs by file name, set by set."""
    folders = [data / "demo" / "pdf" / name for name in FOLDERS]
    return {path.name: path for folder in folders for path in sorted(folder.glob("*.pdf"))}


def ingest(service: Service, kb: str, data: Path) -> dict[str, Any]:
    """Upload every demo PDF in batches and return times, counts and the page report totals."""
    files = list(demo_pdfs(data).values())
    started = time.monotonic()
    for start in range(0, len(files), 20):
        batch = [(path.name, path.read_bytes()) for path in files[start : start + 20]]
        items = service.upload(kb, batch)
        rejected = [item["error"] for item in items if item["outcome"] == "rejected"]
        if rejected:
            raise AssertionError(f"rejected: {rejected}")
    uploaded_s = time.monotonic() - started
    documents = service.wait_idle(kb)
    seconds = time.monotonic() - started
    kinds: collections.Counter[str] = collections.Counter()
    for document in documents:
        report = document["page_report"] or {"pages": []}
        kinds.update(page["kind"] for page in report["pages"])
    num_pages = sum(kinds.values())
    return {
        "files": len(files),
        "statuses": dict(collections.Counter(item["status"] for item in documents)),
        "pages": num_pages,
        "page_kinds": dict(kinds),
        "chunks": sum(item["revision"]["num_chunks"] for item in documents if item["revision"]),
        "upload_s": round(uploaded_s, 1),
        "ready_s": round(seconds, 1),
        "pages_per_s": round(num_pages / seconds, 1),
    }


def ingest_laws(service: Service, kb: str, data: Path) -> None:
    """Add the law texts (Markdown) that the third question set is about."""
    paths = sorted((data / "demo" / "md" / "zh_safety_law").glob("*.md"))
    for start in range(0, len(paths), 20):
        service.upload(kb, [(path.name, path.read_bytes()) for path in paths[start : start + 20]])
    service.wait_idle(kb)


def questions(data: Path, limit: int, seed: int) -> list[dict[str, Any]]:
    """Return a seeded sample, as many from each set, whose documents are in the base."""
    laws = {row["doc"] for row in read_rows(data / "demo" / "zh_safety_law_docs.jsonl.gz")}
    dice = random.Random(seed)
    sample: list[dict[str, Any]] = []
    for name, file in QUESTION_FILES.items():
        rows = read_rows(data / f"{file}.jsonl.gz")
        if name == "law":
            rows = [row for row in rows if set(row["docs"]) <= laws]
        dice.shuffle(rows)
        sample.extend(row | {"set": name} for row in rows[: limit // len(QUESTION_FILES)])
    return sample


def squeezed(text: str) -> str:
    """Return the text without white space and hyphens at line ends, NFKC: as a reader sees it."""
    kept = (
        character for character in unicodedata.normalize("NFKC", text) if character.isprintable()
    )
    return "".join(character for character in kept if not character.isspace()).replace("-", "")


class CitationCheck:
    """Checks citations against the service's stored text and the original PDFs."""

    def __init__(self, service: Service, kb: str, pdfs: Mapping[str, Path]) -> None:
        """`pdfs`: the original of each document by name; others are checked by text only."""
        self.service = service
        self.kb = kb
        self.num_checked = 0
        self.num_boxed = 0
        self.exceptions: list[str] = []
        self._texts: dict[tuple[str, str], str] = {}
        self._paths = {
            document["id"]: pdfs[document["name"]]
            for document in service.documents(kb)
            if document["name"] in pdfs
        }

    def check(self, citation: dict[str, Any]) -> None:
        """Record an exception unless span, revision and boxes all hold."""
        self.num_checked += 1
        source = citation["source"]
        text = self._text(citation["document_id"], citation["revision"])
        if text[source["start"] : source["end"]] != citation["cited_text"]:
            self.exceptions.append(f"{citation['id']}: the span does not give the cited text")
        if citation["document_id"] not in self._paths:
            return  # a text format: there is no page picture
        found = "".join(
            self._text_in_boxes(citation["document_id"], page) for page in source["pages"]
        )
        self.num_boxed += sum(len(page["boxes"]) for page in source["pages"])
        if not _covers(squeezed(found), squeezed(citation["cited_text"])):
            self.exceptions.append(
                f"{citation['id']}: boxes hold {found!r}, cited {citation['cited_text']!r}"
            )

    def _text(self, document_id: str, revision: str) -> str:
        key = (document_id, revision)
        if key not in self._texts:
            path = f"/kb/{self.kb}/documents/{document_id}/text"
            response = self.service.client.get(path, params={"revision": revision})
            self._texts[key] = response.raise_for_status().json()["text"]
        return self._texts[key]

    def _text_in_boxes(self, document_id: str, region: dict[str, Any]) -> str:
        pdf = pypdfium2.PdfDocument(self._paths[document_id])
        try:
            page = pdf[region["page_number"] - 1].get_textpage()
            return "".join(
                page.get_text_bounded(
                    x0 - BOX_MARGIN, y0 - BOX_MARGIN, x1 + BOX_MARGIN, y1 + BOX_MARGIN
                )
                for x0, y0, x1, y1 in region["boxes"]
            )
        finally:
            pdf.close()


def _covers(found: str, cited: str) -> bool:
    """True when every character of the cited text is among those inside the boxes, as often."""
    return not collections.Counter(cited) - collections.Counter(found)


def ask_all(
    service: Service, kb: str, rows: list[dict[str, Any]], check: CitationCheck
) -> dict[str, Any]:
    """Ask every question and return, by set, the shares answered, refused and containing."""
    figures: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    seconds: list[float] = []
    for row in rows:
        started = time.monotonic()
        response = service.client.post(f"/kb/{kb}/ask", json={"question": row["question"]})
        seconds.append(time.monotonic() - started)
        answer = response.raise_for_status().json()
        for citation in answer["citations"]:
            check.check(citation)
        kind = "answerable" if row["answerable"] else "unanswerable"
        counts = figures[f"{row['set']} {kind}"]
        counts["questions"] += 1
        counts[answer["status"]] += 1
        counts["citations"] += len(answer["citations"])
        if row["answerable"] and squeezed(str(row["answer"])) in squeezed(answer["answer"]):
            counts["contains_answer"] += 1
    seconds.sort()
    return {
        "sets": {name: dict(counts) for name, counts in sorted(figures.items())},
        "ask_p50_s": round(seconds[len(seconds) // 2], 3),
        "ask_p95_s": round(seconds[int(len(seconds) * 0.95)], 3),
    }


def main() -> None:
    """Print all figures as JSON; exit 1 when a citation did not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with demo/ and dev/")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder) / "data") as service,
    ):
        kb = service.create_kb("corpus")
        result: dict[str, Any] = {"ingest": ingest(service, kb, options.data)}
        ingest_laws(service, kb, options.data)
        check = CitationCheck(service, kb, demo_pdfs(options.data))
        rows = questions(options.data, options.questions, options.seed)
        result["answers"] = ask_all(service, kb, rows, check)
    result["citations"] = {
        "checked": check.num_checked,
        "boxes": check.num_boxed,
        "exceptions": check.exceptions,
    }
    print(json.dumps(result, indent=2, ensure_ascii=False))
    sys.exit(1 if check.exceptions else 0)


if __name__ == "__main__":
    main()
