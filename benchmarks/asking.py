"""What asking costs on a base of many chunks, and whether an answer depends on what else goes on.

    python -m benchmarks.asking --data ../shared/data --folder /tmp/asking [--chunks 10000]

A real `kb serve` holds the development sets and passages of an encyclopaedia. Measured: start to
`/readyz`, memory at rest, chunks embedded a second in the background, seconds of a question on
idle cores, beside embedding, and beside two processes that compute; and whether the same questions
are answered alike idle, loaded, after a restart and after `kb reindex`. The folder is kept and
used again.
"""

import argparse
import gzip
import itertools
import json
import multiprocessing
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.memory_base import load_corpus
from benchmarks.same_answers import kept
from benchmarks.service import Service

SETS = ("dev/zh_drcd", "dev/en_squad", "dev/zh_cmrc2018_trial")
BASE = "asking"
UPLOAD_FILES = 100
PASSAGES_A_FILE = 12


def main() -> None:
    """Fill the base where it is not there yet, measure, print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    service = Service(options.folder)
    questions = _questions(options.data, options.questions)
    kb = _filled(service, options.data, options.chunks)
    answers = {"idle": _asked(service, kb, questions, "idle")}
    with _computing(2):
        answers["loaded"] = _asked(service, kb, questions, "beside two computing processes")
    with _embedding(service, options.data):
        answers["embedding"] = _asked(service, kb, questions, "beside embedding")
    service.stop()
    _started(service)
    answers["restarted"] = _asked(service, kb, questions, "after a restart")
    service.cli("reindex", "--kb", BASE)
    _settled(service, kb)
    answers["rebuilt"] = _asked(service, kb, questions, "after a rebuild")
    service.stop()
    for name, given in answers.items():
        same = sum(a == b for a, b in zip(answers["idle"], given, strict=True))
        print(f"{same} of {len(given)} answers {name} as idle", flush=True)


def _questions(data: Path, count: int) -> list[str]:
    sets = [load_corpus(data, name).questions for name in SETS]
    each = [[q.text for q in found[:: max(1, len(found) * len(SETS) // count)]] for found in sets]
    return [text for texts in itertools.zip_longest(*each) for text in texts if text][:count]


def _filled(service: Service, data: Path, num_chunks: int) -> str:
    _started(service)
    known = [kb for kb in service.client.get("/kb").json()["items"] if kb["name"] == BASE]
    if known:
        return str(known[0]["id"])
    kb = service.create_kb(BASE)
    began = time.monotonic()
    documents = {
        name: text for of in SETS for name, text in load_corpus(data, of).documents.items()
    }
    _upload(
        service, kb, [(name, f"# {title}\n\n{text}") for name, (title, text) in documents.items()]
    )
    waiting = passages(data, "zh_wiki_passages")
    while service.client.get(f"/kb/{kb}").json()["num_chunks"] < num_chunks:
        some = list(itertools.islice(waiting, UPLOAD_FILES))
        if not some:
            break
        _upload(service, kb, some)
        service.wait_idle(kb)
    texts = time.monotonic() - began
    _settled(service, kb)
    taken, size = time.monotonic() - began, service.client.get(f"/kb/{kb}").json()["num_chunks"]
    print(f"{size} chunks: words searchable after {texts:.0f} s, vectors after {taken:.0f} s,"
          f" {size / taken:.1f} chunks a second in all", flush=True)  # fmt: skip
    return kb


def _upload(service: Service, kb: str, texts: Sequence[tuple[str, str]]) -> None:
    for start in range(0, len(texts), UPLOAD_FILES):
        files = [
            (f"{name}.md".replace("/", "_"), text.encode())
            for name, text in texts[start : start + UPLOAD_FILES]
        ]
        service.upload(kb, files)


def passages(data: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield documents of a few passages of a set, with their names."""
    with gzip.open(data / "text" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        for number in itertools.count():
            some = list(itertools.islice(rows, PASSAGES_A_FILE))
            if not some:
                return
            yield (
                f"{name} {number}",
                "\n\n".join(f"## {r['title']}\n\n{r['text']}" for r in some),
            )


def _settled(service: Service, kb: str) -> None:
    """Wait until every document is ready and has its vectors."""
    while any(item["vectors"] != "ready" for item in service.wait_idle(kb)):
        time.sleep(0.5)


def _started(service: Service) -> None:
    began = time.monotonic()
    service.start()
    while service.client.get("/readyz").status_code != 200:
        time.sleep(0.05)
    ready = time.monotonic() - began
    time.sleep(10)
    sizes = [_resident_mib(pid) for pid in (service.pid, *service.worker_pids())]
    each = ", ".join(f"{size:.0f}" for size in sizes)
    print(f"ready after {ready:.1f} s; MiB resident at rest, server and worker: {each}", flush=True)


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _asked(
    service: Service, kb: str, questions: Sequence[str], how: str
) -> list[Mapping[str, Any]]:
    found, seconds = list[Mapping[str, Any]](), list[float]()
    for question in questions:
        began = time.perf_counter()
        reply = service.client.post(f"/kb/{kb}/ask", json={"question": question})
        seconds.append(time.perf_counter() - began)
        found.append(kept(reply.raise_for_status().json()))
    p95 = statistics.quantiles(seconds, n=20)[-1]
    print(f"{how}: median {1000 * statistics.median(seconds):.0f} ms, p95 {1000 * p95:.0f} ms,"
          f" most {1000 * max(seconds):.0f} ms", flush=True)  # fmt: skip
    return found


@contextmanager
def _computing(count: int) -> Iterator[None]:
    busy = [multiprocessing.Process(target=_compute, daemon=True) for _ in range(count)]
    for process in busy:
        process.start()
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.join()


def _compute() -> None:
    while True:
        sum(range(10_000))


@contextmanager
def _embedding(service: Service, data: Path) -> Iterator[None]:
    """Meanwhile another base is filled, whose vectors follow in the background."""
    kb = service.create_kb(f"beside {time.time_ns()}")
    _upload(service, kb, list(itertools.islice(passages(data, "zh_laws"), 40)))
    service.wait_idle(kb)
    before = _num_ready(service, kb)
    began = time.monotonic()
    yield
    taken = time.monotonic() - began
    done = _num_ready(service, kb) - before
    print(
        f"{done} chunks of another base embedded meanwhile, {done / taken:.1f} a second", flush=True
    )
    service.client.delete(f"/kb/{kb}").raise_for_status()


def _num_ready(service: Service, kb: str) -> int:
    documents = service.documents(kb)
    return sum(d["revision"]["num_chunks"] for d in documents if d["vectors"] == "ready")


if __name__ == "__main__":
    main()
