"""How well verification tells a changed sentence from an honest rewording.

    python -m benchmarks.novelty [--data DIR] [--show]

Changed: 400 real sentences of reports, laws and encyclopedias, in each of which one content word,
number, name or negation was swapped, put in or taken out (100 of a kind, half of them Chinese).
Reworded: 200 pairs that say one thing in two ways, by hand (`novelty_pairs.toml`) and by rule.
Everything is seeded. Rules were developed on the `seen` half of the documents and pairs only.
Knows `find_support` and nothing of how it decides.
"""

import argparse
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from benchmarks.memory_base import read_rows
from benchmarks.novelty_changes import CHANGES, REWORDINGS, Words, seeded, words_of
from benchmarks.run import DATA
from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.language.text import is_chinese, sentence_spans
from kb_service.language.units import marked
from kb_service.services.citations import SupportStatus, find_support

SOURCES = {
    "demo/en_ntsb_docs": "text",
    "demo/en_wikitech_docs": "text",
    "demo/zh_safety_law_docs": "text",
    "demo/zh_synth_incident_docs": "text",
    "dev/en_squad": "context",
    "dev/zh_cmrc2018_trial": "context",
    "dev/zh_drcd": "context",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence and the words around what it was made from. `kind`: what was done to it."""

    kind: str
    sentence: str
    source: str
    is_seen: bool


@dataclass(frozen=True, slots=True)
class _Original:
    text: str
    around: str
    is_seen: bool


PAIRS = Path(__file__).with_name("novelty_pairs.toml")
PER_KIND, BY_RULE = 100, 100
MAX_PER_DOCUMENT = 6
SEED = 20261129


def originals(data: Path) -> list[_Original]:
    """Return real sentences with what stands around them, in a seeded order."""
    rng = seeded(SEED)
    found: list[_Original] = []
    for name, field in SOURCES.items():
        texts = sorted({str(row[field]) for row in read_rows(data / f"{name}.jsonl.gz")})
        some: list[_Original] = []
        for text in rng.sample(texts, min(len(texts), 80)):
            is_seen = crc32(text.encode()) % 2 == 0
            spans = sentence_spans(text)
            for place in rng.sample(range(len(spans)), min(len(spans), MAX_PER_DOCUMENT)):
                words = " ".join(spans[place].of(text).split())
                around = text[
                    spans[max(0, place - 2)].start : spans[min(len(spans) - 1, place + 2)].end
                ]
                if 25 <= len(words) <= 300 and words[-1] in "。." and _is_prose(words, around):
                    some.append(_Original(words, around, is_seen))
        found += some
    rng.shuffle(found)
    return found


def _is_prose(words: str, around: str) -> bool:
    """True when a sentence is one quotable stretch, with no heading run into it."""
    units = (unit.span.of(around) for unit in marked(around).quotable())
    return words in {" ".join(unit.split()) for unit in units}


def changed(found: Sequence[_Original], words: Words) -> Iterator[Case]:
    """Yield the changed sentences: of each kind as many Chinese as English ones."""
    for kind, change in CHANGES.items():
        for chinese in (True, False):
            yield from _cases(found, words, {kind: change}, chinese, PER_KIND // 2)


def mixed_up(found: Sequence[_Original], words: Words) -> Iterator[Case]:
    """Yield sentences with a word, number or name of the sentences around them: beyond the 400."""
    for kind in ("word", "number", "name"):
        for chinese in (True, False):
            yield from _cases(
                found, words, {kind: CHANGES[kind]}, chinese, PER_KIND // 4, near=True
            )


def reworded(found: Sequence[_Original], words: Words) -> Iterator[Case]:
    """Yield the honest rewordings: those written by hand, then those made by rule."""
    pairs = tomllib.loads(PAIRS.read_text(encoding="utf-8"))
    for language in ("zh", "en"):
        for place, (source, sentence) in enumerate(pairs[language]):
            yield Case(f"by hand, {language}", sentence, source, place % 2 == 0)
    for chinese in (True, False):
        yield from _cases(found, words, REWORDINGS, chinese, BY_RULE // 2)


def _cases(
    found: Sequence[_Original],
    words: Words,
    changes: dict[str, Callable[[str, Words, random.Random], str | None]],
    chinese: bool,
    count: int,
    *,
    near: bool = False,
) -> Iterator[Case]:
    """Yield `count` cases, half of them seen, taking turns between the changes."""
    rng = seeded(SEED)
    left = Counter({True: (count + 1) // 2, False: count // 2})
    turns = list(changes)
    for original in found:
        if is_chinese(original.text) != chinese or not left[original.is_seen]:
            continue
        for kind in turns:
            some = words.within(original.around) if near else words
            sentence = changes[kind](original.text, some, rng)
            if sentence and sentence != original.text:
                left[original.is_seen] -= 1
                turns.append(turns.pop(turns.index(kind)))
                yield Case(
                    f"{kind}, {'zh' if chinese else 'en'}",
                    sentence,
                    original.around,
                    original.is_seen,
                )
                break


def is_verified(case: Case) -> bool:
    """True when the sentence is verified by the words around what it was made from."""
    text = case.source
    units = tuple(marked(text).quotable())
    span = TextSpan(0, len(text))
    passage = Passage(1, 1, "d", 1, "ab" * 32, "", span, text, 1.0, units)
    return find_support(case.sentence, [passage]).status is SupportStatus.VERIFIED


def report(title: str, cases: Sequence[Case], *, wanted: bool, show: bool) -> None:
    """Print the share verified by kind and half; with `show` the seen ones that are wrong."""
    print(f"\n| {title} | seen: verified of | unseen: verified of |\n|---|---|---|")
    verdicts = [(case, is_verified(case)) for case in cases]
    for kind in [*dict.fromkeys(case.kind for case in cases), "all"]:
        cells = []
        for half in (True, False):
            some = [v for c, v in verdicts if c.is_seen == half and kind in (c.kind, "all")]
            share = f" ({sum(some) / len(some):.1%})" if kind == "all" and some else ""
            cells.append(f"{sum(some)} of {len(some)}{share}")
        print(f"| {kind} | {' | '.join(cells)} |")
    if show:
        for case, verdict in verdicts:
            if case.is_seen and verdict is not wanted:
                print(f"\n[{case.kind}] {case.sentence}\n    {case.source!r}")


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder with demo/ and dev/")
    parser.add_argument("--show", action="store_true", help="print what went wrong, seen half only")
    arguments = parser.parse_args()
    if not (arguments.data / "demo").is_dir():
        print(f"skipped: {arguments.data} has no demo documents")
        sys.exit(0)
    found = originals(arguments.data)
    words = words_of(original.text for original in found)
    report("changed", list(changed(found, words)), wanted=False, show=arguments.show)
    report("mixed up", list(mixed_up(found, words)), wanted=False, show=arguments.show)
    report("reworded", list(reworded(found, words)), wanted=True, show=arguments.show)


if __name__ == "__main__":
    main()
