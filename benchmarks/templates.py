"""Whether reports are read as well whose template nobody developed on: five, two of them seen.

    python -m benchmarks.templates --url URL [--only TEMPLATE ...] [--reports N] [--seed N] [--json]

Uploads invented reports (seeded) to a running service, all into one new base so that alike ones
compete, waits for their vectors and asks. Right: an expected value is said, and the right document
and no other is cited. A near miss is right when it is refused or told apart: the answer names what
no document meets. The gap is between the seen templates and the held-out ones. Knows the HTTP
contract only.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import numpy as np

from benchmarks.template_files import KINDS
from benchmarks.template_reports import LANGUAGES, SEEN, TEMPLATES, Asked, Report, invented, says
from kb_service.evaluation.resampling import Estimate, FloatArray, Resampling

SEED, NUM_EACH = 2026, 8
WAIT_S = 1800
_HEADS = ("template", "language", "n", "plain", "other words", "wrong", "refused", "elsewhere")
_WAITING = re.compile(r'^kb_chunks\{vector="waiting"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """One question and what became of it.

    `verdict`: right, wrong or refused; of a near miss refused, told_apart or wrong.
    `is_elsewhere`: a document other than the right one is cited.
    """

    template: str
    language: str
    document: str
    wording: str
    slot: str
    question: str
    answers: tuple[str, ...]
    absent: str
    status: str
    answer: str
    cited: tuple[str, ...]
    verdict: str
    is_elsewhere: bool

    @property
    def is_near_miss(self) -> bool:
        """True when the base has no answer."""
        return not self.answers

    @property
    def is_right(self) -> bool:
        """True for the right answer; for a near miss, when none was given."""
        return self.verdict in (("refused", "told_apart") if self.is_near_miss else ("right",))


def judged(report: Report, document: str, asked: Asked, answer: Mapping[str, Any]) -> Row:
    """Return what an answer of the service is worth."""
    is_refused = answer["status"] == "refused"
    cited = sorted({citation["document_name"] for citation in answer["citations"]})
    is_elsewhere = not is_refused and any(name != document for name in cited)
    if is_refused:
        verdict = "refused"
    elif not asked.answers:
        verdict = "told_apart" if answer["missing"] else "wrong"
    else:
        is_right = says(answer["answer"], asked.answers) and cited == [document]
        verdict = "right" if is_right else "wrong"
    return Row(
        report.template,
        report.language,
        document,
        asked.wording,
        asked.slot,
        asked.text,
        asked.answers,
        asked.absent,
        answer["status"],
        answer["answer"],
        tuple(cited),
        verdict,
        is_elsewhere,
    )


def measured(
    client: httpx.Client, reports: Sequence[Report], *, needs_vectors: bool
) -> Iterator[Row]:
    """Upload the reports into a new base, wait, and yield the questions as they are answered."""
    made = client.post("/kb", json={"name": f"templates {time.time_ns()}"})
    kb = made.raise_for_status().json()["id"]
    kinds = list(KINDS)
    names = []
    for number, report in enumerate(reports):
        # All kinds come in each template, and in another order with each four reports.
        kind = kinds[(number + number // len(kinds)) % len(kinds)]
        names.append(f"paper-{number + 1:03}.{kind}")
        file = (names[-1], KINDS[kind](report))
        client.post(f"/kb/{kb}/documents", files={"files": file}).raise_for_status()
    _wait(client, kb, len(reports), needs_vectors=needs_vectors)
    for name, report in zip(names, reports, strict=True):
        for asked in report.questions:
            told = client.post(f"/kb/{kb}/ask", json={"question": asked.text})
            yield judged(report, name, asked, told.raise_for_status().json())


def _wait(client: httpx.Client, kb: str, num_documents: int, *, needs_vectors: bool) -> None:
    end = time.monotonic() + WAIT_S
    while not _is_ready(client, kb, num_documents, needs_vectors=needs_vectors):
        if time.monotonic() > end:
            raise SystemExit(f"{kb} is not ready after {WAIT_S} s")
        time.sleep(1)


def _is_ready(client: httpx.Client, kb: str, num_documents: int, *, needs_vectors: bool) -> bool:
    page = client.get(f"/kb/{kb}/documents", params={"limit": 1}).raise_for_status().json()
    totals = page["totals"]
    if totals["failed"]:
        raise SystemExit(f"{totals['failed']} documents of {kb} could not be read")
    if totals["ready"] + totals["partial"] < num_documents:
        return False
    waiting = _WAITING.search(client.get("/metrics").raise_for_status().text)
    return not needs_vectors or (waiting is not None and float(waiting.group(1)) == 0)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table by template and language, and its sums, as Markdown."""
    heads = (*_HEADS, "near misses", "refused or told apart")
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for template in TEMPLATES:
        for language in LANGUAGES:
            some = [r for r in rows if r.template == template and r.language == language]
            if some:
                mark = " (seen)" if template in SEEN else ""
                yield _table_row(f"{template}{mark}", language, some)
    for name, is_seen in (("all seen", True), ("all held out", False)):
        some = [row for row in rows if (row.template in SEEN) == is_seen]
        if some:
            yield _table_row(name, "both", some)


def _table_row(name: str, language: str, rows: Sequence[Row]) -> str:
    asked = [row for row in rows if not row.is_near_miss]
    near = [row for row in rows if row.is_near_miss]
    cells = [
        name,
        language,
        str(len(asked)),
        _share([row for row in asked if row.wording == "plain"]),
        _share([row for row in asked if row.wording == "other"]),
        str(sum(row.verdict == "wrong" for row in asked)),
        str(sum(row.verdict == "refused" for row in asked)),
        str(sum(row.is_elsewhere for row in asked)),
        str(len(near)),
        _share(near),
    ]
    return f"| {' | '.join(cells)} |"


def _share(rows: Sequence[Row]) -> str:
    return f"{100 * sum(row.is_right for row in rows) / len(rows):.1f} %" if rows else "-"


def gap(rows: Sequence[Row]) -> Estimate | None:
    """Return by how many points the seen templates are above the others; None without both."""
    is_seen = np.array([row.template in SEEN for row in rows], dtype=np.float64)
    is_right = np.array([row.is_right for row in rows], dtype=np.float64)
    if not 0 < is_seen.sum() < len(rows):
        return None

    def compute(weights: FloatArray) -> FloatArray:
        seen, held = weights * is_seen, weights * (1 - is_seen)
        with np.errstate(invalid="ignore"):
            gaps: FloatArray = 100 * (
                seen @ is_right / seen.sum(axis=1) - held @ is_right / held.sum(axis=1)
            )
        return gaps

    return Resampling().figure(len(rows), compute)


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table and the gaps."""
    yield from table(rows)
    kinds = {
        "answers": [row for row in rows if not row.is_near_miss],
        "near misses": [row for row in rows if row.is_near_miss],
    }
    for name, some in kinds.items():
        found = gap(some)
        if found:
            interval = f"[{found.low:+.1f}, {found.high:+.1f}]"
            yield f"gap of {name}, seen minus held out: {found.value:+.1f} points {interval}"


def _failure(row: Row) -> str:
    wanted = " or ".join(row.answers) or f"nothing of {row.absent}"
    place = f"{row.template} {row.language} {row.wording}, {row.verdict}"
    return f"  {place}: {row.question} ({wanted}) -> {row.answer[:120]!r} {list(row.cited)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the rows as they come, then the table; with --json the rows alone on stdout."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--only", nargs="+", choices=TEMPLATES, default=TEMPLATES)
    parser.add_argument("--reports", type=int, default=NUM_EACH, help="a template and language")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--words-only", action="store_true", help="do not wait for vectors")
    parser.add_argument("--json", action="store_true", help="rows on stdout, the table on stderr")
    options = parser.parse_args(arguments)
    reports = [r for r in invented(options.seed, options.reports) if r.template in options.only]
    rows = []
    with httpx.Client(base_url=options.url, timeout=300) as client:
        for row in measured(client, reports, needs_vectors=not options.words_only):
            rows.append(row)
            if options.json:
                print(json.dumps(asdict(row), ensure_ascii=False), flush=True)
            elif not row.is_right:
                print(_failure(row), flush=True)
    for line in summary(rows):
        print(line, file=sys.stderr if options.json else sys.stdout)


if __name__ == "__main__":
    main()
