"""How much later a question is answered while pictures are read beside it.

    python -m benchmarks.beside_ocr [--asks 60] [--pictures 60]

A real service over the demonstration's reports; the same questions in turn, first with nothing
else to do, then while pictures of pages are read in another base, then idle again. Wall seconds
of each call; a round counts only while pictures wait. Needs the extra `ocr` and fonts-noto-cjk.
"""

import argparse
import io
import itertools
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.pictures import TEXTS, drawn
from benchmarks.service import Service, running_service

DEMO = Path(__file__).resolve().parent.parent / "kb_service" / "demo"
I18N = DEMO.parent.parent / "web" / "static" / "js" / "i18n"
SIZES = range(24, 40)
"""Font sizes, so that no two pictures are the same bytes and none is known by its hash."""


def questions() -> list[str]:
    """Return those that the page suggests for the demonstration."""
    texts = [(I18N / f"{language}.js").read_text(encoding="utf-8") for language in ("en", "zh")]
    return [json.loads(q) for t in texts for q in re.findall(r'demo_example_\d: ("[^"]+")', t)]


def pictures(num: int) -> list[tuple[str, bytes]]:
    """Return pages of text as PNG files."""
    made = list[tuple[str, bytes]]()
    for size, name in itertools.product(SIZES, TEXTS):
        if len(made) == num:
            break
        data = io.BytesIO()
        drawn(name, size).save(data, "PNG")
        made.append((f"{name}-{size}.png", data.getvalue()))
    return made


def asked(
    service: Service, kb: str, asks: Iterator[str], goes_on: Callable[[int], bool]
) -> list[float]:
    """Ask while it goes on; return the seconds of each call."""
    seconds = list[float]()
    while goes_on(len(seconds)):
        began = time.monotonic()
        service.client.post(f"/kb/{kb}/ask", json={"question": next(asks)}).raise_for_status()
        seconds.append(time.monotonic() - began)
    return seconds


def waiting(service: Service, kb: str) -> bool:
    """True while documents of a base wait or are read."""
    totals = service.client.get(f"/kb/{kb}/documents", params={"limit": 1}).json()["totals"]
    return bool(totals.get("pending", 0) + totals.get("processing", 0))


def row(name: str, seconds: list[float]) -> str:
    """Return a line of the table."""
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return (
        f"| {name} | {len(seconds)} | {1000 * statistics.median(seconds):.0f} | {1000 * p95:.0f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--asks", type=int, default=60, help="questions of an idle round")
    parser.add_argument("--pictures", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder) / "data") as service:
        kb, scans = service.create_kb("reports"), service.create_kb("scans")
        service.upload(kb, [(path.name, path.read_bytes()) for path in sorted(DEMO.glob("*.pdf"))])
        service.wait_idle(kb)
        asks = itertools.cycle(questions())
        asked(service, kb, asks, lambda done: done < options.asks)  # models are loaded
        idle = asked(service, kb, asks, lambda done: done < options.asks)
        service.upload(scans, pictures(options.pictures))
        beside = asked(service, kb, asks, lambda _: waiting(service, scans))
        after = asked(service, kb, asks, lambda done: done < options.asks)
        read = {item["status"] for item in service.documents(scans)}
    sys.stdout.write("| | questions | median, ms | p95, ms |\n|---|---|---|---|\n")
    rows = {"idle": idle, "pictures read beside": beside, "idle again": after}
    sys.stdout.write("\n".join(row(*item) for item in rows.items()) + f"\npictures: {read}\n")


if __name__ == "__main__":
    main()
