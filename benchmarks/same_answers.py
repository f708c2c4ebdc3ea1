"""Whether two versions answer alike: seeded questions asked over HTTP, kept, and compared.

    python -m benchmarks.same_answers ask URL --data DIR --out A.jsonl
    python -m benchmarks.same_answers compare A.jsonl B.jsonl

Knows the HTTP contract only, so any version of the service can be asked. One whose reranker still
reads against a clock is started with KB_RERANK__BUDGET_MS=60000.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.memory_base import load_corpus
from kb_service.evaluation.questions import sample

SETS = (
    "dev/zh_cmrc2018_trial",
    "dev/zh_drcd",
    "dev/en_squad",
    "demo/en_ntsb_qa",
    "demo/zh_synth_incident_qa",
    "dev/zh_law_article_lookup",
)
NUM_QUESTIONS, SEED = 50, 7
UPLOAD_FILES = 100
WAIT_S = 1800
Answer = dict[str, Any]


def ask_all(url: str, data: Path) -> Iterator[Answer]:
    """Yield what the service answers to the questions of every set, each set in its own base."""
    with httpx.Client(base_url=url, timeout=300) as client:
        for name in SETS:
            corpus = load_corpus(data, name)
            kb = client.post("/kb", json={"name": f"{name} {time.time_ns()}"}).json()["id"]
            _fill(client, kb, corpus.documents)
            for question in sample(corpus.questions, NUM_QUESTIONS, SEED):
                reply = client.post(f"/kb/{kb}/ask", json={"question": question.text})
                yield {"set": name, "question": question.text} | kept(reply.json())


def _fill(client: httpx.Client, kb: str, documents: Mapping[str, tuple[str, str]]) -> None:
    files = [
        ("files", (f"{name}.md".replace("/", "_"), f"# {title}\n\n{text}".encode()))
        for name, (title, text) in documents.items()
    ]
    for start in range(0, len(files), UPLOAD_FILES):
        some = files[start : start + UPLOAD_FILES]
        client.post(f"/kb/{kb}/documents", files=some).raise_for_status()
    end = time.monotonic() + WAIT_S
    while client.get(f"/kb/{kb}").json()["num_documents"] < len(files) or _is_busy(client, kb):
        if time.monotonic() > end:
            sys.exit(f"{kb} is not ready after {WAIT_S} s")
        time.sleep(1)


def _is_busy(client: httpx.Client, kb: str) -> bool:
    cursor = None
    while True:
        page = client.get(
            f"/kb/{kb}/documents", params={"limit": 100} | ({"cursor": cursor} if cursor else {})
        ).json()
        if any(item["status"] in ("pending", "processing") for item in page["items"]):
            return True
        cursor = page["next_cursor"]
        if cursor is None:
            return False


def kept(answer: Answer) -> Answer:
    """Return what must not change: ids and times differ from run to run."""
    cited = [
        [c["title"], c["cited_text"], c["source"]["start"], c["source"]["end"], c["status"]]
        for c in answer["citations"]
    ]
    return {key: answer[key] for key in ("status", "reason", "answer")} | {"citations": cited}


def differences(before: Sequence[Answer], after: Sequence[Answer]) -> list[tuple[Answer, Answer]]:
    """Return the pairs of answers to one question that are not the same."""
    keys = [[(a["set"], a["question"]) for a in answers] for answers in (before, after)]
    if keys[0] != keys[1]:
        sys.exit("the two files hold different questions")
    return [(a, b) for a, b in zip(before, after, strict=True) if a != b]


def main() -> None:
    """Ask, or compare; a comparison ends with 1 when an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("ask")
    ask.add_argument("url")
    ask.add_argument("--data", type=Path, required=True)
    ask.add_argument("--out", type=Path, required=True)
    compare = commands.add_parser("compare")
    compare.add_argument("files", type=Path, nargs=2)
    arguments = parser.parse_args()
    if arguments.command == "ask":
        lines = (json.dumps(a, ensure_ascii=False) for a in ask_all(arguments.url, arguments.data))
        arguments.out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return
    before, after = (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in arguments.files
    )
    found = differences(before, after)
    for pair in found:
        print(*(json.dumps(answer, ensure_ascii=False) for answer in pair), "", sep="\n")
    print(f"{len(before) - len(found)} of {len(before)} answers are the same")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
