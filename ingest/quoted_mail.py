"""Mails within the text of a mail: quoted lines lose their marks, who wrote them heads them.

Knows the marks of quoted lines and the line that tells of their writer. Where nobody is named, or
the newer mail goes on between the lines, the marks stay before each block: they tell whose it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ingest.draft import DraftDocument
from ingest.plain_text import BLANK_LINES, add_text

MAX_LEVEL = 6
_MARKS = re.compile(r"(?:> ?)+")
_WROTE = re.compile(r"(?=[^\n]*\d)[^\n]{8,150}(?:\n[^\n]{0,80})?[:\uff1a]")
"""Who wrote, and when, in one line or two that end with a colon."""


@dataclass(slots=True)
class _Run:
    """Lines that are quoted equally often, without their marks."""

    depth: int
    text: str
    head: str = ""


def add_mail_text(draft: DraftDocument, text: str) -> None:
    """Add the text of a mail; what it quotes is a section of its own, headed by who wrote it."""
    runs = list(_runs(text.splitlines()))
    if not any(run.depth for run in runs):
        add_text(draft, text)
        return
    last_own = max((at for at, run in enumerate(runs) if not run.depth), default=-1)
    is_between = any(run.depth for run in runs[:last_own])
    if not is_between:
        _take_heads(runs)
    headed = 0
    for run in runs:
        headed = run.depth if run.head else headed
        draft.add(run.head, min(run.depth, MAX_LEVEL))
        if run.depth not in (0, headed):  # the heading above is of another mail
            for block in filter(str.strip, BLANK_LINES.split(run.text)):
                draft.add(f"{'>' * run.depth} {block.strip()}")
        else:
            add_text(draft, run.text)


def _runs(lines: Sequence[str]) -> Iterator[_Run]:
    for depth, run in groupby(_by_depth(lines), key=lambda line: line[0]):
        yield _Run(depth, "\n".join(words for _, words in run))


def _by_depth(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield how often each line is quoted, and its words; an empty one goes with those above."""
    depth = 0
    for line in lines:
        marks = _MARKS.match(line)
        words = line[marks.end() :] if marks else line
        depth = (marks.group().count(">") if marks else 0) if line.strip() else depth
        yield depth, words


def _take_heads(runs: list[_Run]) -> None:
    """Take the line that tells who wrote a run from its beginning, or from the end above it."""
    for before, run in zip([None, *runs], runs, strict=False):
        if not run.depth:
            continue
        blocks = BLANK_LINES.split(run.text.strip())
        if _WROTE.fullmatch(blocks[0].strip()) and len(blocks) > 1:
            run.head = blocks[0].strip()
            run.text = "\n\n".join(blocks[1:])
        elif before is not None and before.depth < run.depth:
            *above, last = BLANK_LINES.split(before.text.strip())
            if _WROTE.fullmatch(last.strip()):
                run.head = last.strip()
                before.text = "\n\n".join(above)
