"""Which words of a file are not in its stored text: files of all formats against a dumb reading.

    python -m benchmarks.word_coverage [--most N] [--seed N] PATH...

Draws up to N files a format below each path, loads each as an upload is loaded, and counts the
words, a multiset, that `plain_readings` finds and the stored text lacks. A loss above a thousandth
is silent when the document says nothing of it. A document that names missing words where the other
reading misses fewer is a false alarm, or the other reading's fault. Pictures are not read.
"""

import argparse
import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plain_readings import Reading, plain_reading
from ingest.limits import ParseLimits
from ingest.media_types import SUPPORTED_SUFFIXES, detect_media_type
from ingest.sandbox import SandboxedLoader
from kb_service.domain.documents import WORDS_MISSING, PageKind, ParsedDocument
from kb_service.domain.errors import KbError
from kb_service.domain.ports import Loader

TRACE = 0.001
NUM_NAMED = 8
HEAD_BYTES = 16384
PICTURES_AND_ARCHIVES = {".zip", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}
SUFFIXES = frozenset(SUPPORTED_SUFFIXES) - PICTURES_AND_ARCHIVES
WORD = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uac00-\ud7af]|[^\W_\u2e80-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of one file. `refused`: the code, "" for a file that was read."""

    path: Path
    num_words: int = 0
    lost: Counter[str] | None = None
    is_named: bool = False
    is_alarm: bool = False
    num_glued: int = 0
    refused: str = ""
    unread: str = ""

    @property
    def num_lost(self) -> int:
        return self.lost.total() if self.lost else 0

    @property
    def is_loss(self) -> bool:
        return self.num_lost > TRACE * self.num_words

    @property
    def verdict(self) -> str:
        if self.refused or self.unread:
            return self.refused or f"not compared: {self.unread}"
        if self.is_loss:
            return "named" if self.is_named else "SILENT"
        return "false alarm" if self.is_alarm else "whole"


def lost_words(reading: Reading, text: str) -> tuple[Counter[str], int, int]:
    """Return the words of a reading that a text lacks, how many were compared, how many are glued.

    A word that the text says as often inside others is not lost, but glued: where one word ends is
    layout, which both readings guess where the format does not say it.
    """
    wanted, have = Counter(_words(reading.text)), Counter(_words(text))
    letters, own = _letters(text), _letters(reading.text)
    lost: Counter[str] = Counter()
    for word, number in (wanted - have).items():
        fewer = min(number, own.count(word) - letters.count(word))
        if fewer > 0:
            lost[word] = fewer
    num_glued = (wanted - have).total() - lost.total()
    once = {word for word in _words(reading.once) if word not in have}
    lost.update(word for word in once if word not in letters)
    return lost, wanted.total() + len(set(_words(reading.once))), num_glued


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text.replace("\u00ad", "")).casefold()


def _words(text: str) -> list[str]:
    return WORD.findall(_plain(text))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, _plain(text)))


def outcome_of(path: Path, loader: Loader) -> Outcome:
    """Load a file and compare it."""
    try:
        with path.open("rb") as stream:
            media_type = detect_media_type(path.name, stream.read(HEAD_BYTES))
        document = next(
            step
            for step in loader.load(path, path.name, media_type)
            if isinstance(step, ParsedDocument)
        )
    except KbError as error:
        return Outcome(path, refused=error.code)
    try:
        reading = plain_reading(path, media_type)
    except Exception as error:  # noqa: BLE001 - other parsers raise what they like
        return Outcome(path, unread=f"{type(error).__name__}: {error}"[:80])
    lost, num_words, num_glued = lost_words(reading, document.text)
    is_alarm = WORDS_MISSING in document.metadata
    is_named = is_alarm or bool(document.losses)
    is_named |= any(page.kind is PageKind.FAILED for page in document.pages)
    return Outcome(path, num_words, lost, is_named, is_alarm, num_glued)


def drawn(paths: Iterable[Path], most: int, seed: int) -> Iterator[Path]:
    """Yield up to `most` files of each format below each path."""
    for path in paths:
        by_format: dict[str, list[Path]] = defaultdict(list)
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                by_format[file.suffix.lower()].append(file)
        for files in by_format.values():
            chosen = random.Random(seed).sample(files, most) if most < len(files) else files
            yield from sorted(chosen)


def table(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield the rows of the table, a format each, and one for all."""
    by_format: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_format[outcome.path.suffix.lower().lstrip(".")].append(outcome)
        by_format["all"].append(outcome)
    yield "| format | files | compared | words | found, % | named losses | silent | false alarms |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, rows in sorted(by_format.items(), key=lambda item: (item[0] == "all", item[0])):
        compared = [row for row in rows if row.lost is not None]
        words, lost = (sum(getattr(r, a) for r in compared) for a in ("num_words", "num_lost"))
        told = Counter(row.verdict for row in compared)
        yield (
            f"| {name} | {len(rows)} | {len(compared)} | {words:,} |"
            f" {100 * (1 - lost / max(words, 1)):.3f} | {told['named']} | {told['SILENT']} |"
            f" {told['false alarm']} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--most", type=int, default=10**9, help="files a format below each path")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcomes = []
    with SandboxedLoader(ParseLimits()) as loader:
        for path in drawn(options.paths, options.most, options.seed):
            outcome = outcome_of(path, loader)
            outcomes.append(outcome)
            if outcome.verdict != "whole" or outcome.num_lost or outcome.num_glued:
                named = (outcome.lost or Counter()).most_common(NUM_NAMED)
                print(f"{outcome.verdict}: {path} {outcome.num_lost} of {outcome.num_words}"
                      f" ({outcome.num_glued} glued)"
                      f" {' '.join(word for word, _ in named)}", flush=True)  # fmt: skip
    print(*table(outcomes), sep="\n")


if __name__ == "__main__":
    main()
