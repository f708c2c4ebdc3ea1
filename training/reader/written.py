"""Papers written by hand for the reader, with questions: how a file of them is read.

A paper is `=== language | kind`, `T: title`, a line `---`, the text, a line `---`, then questions:
`Q:` lines (wordings of one question) and the line of their answer. `A: words` stand in the text
word for word, `A2: words` is their second place there, `A: none` is what the text does not say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_HEAD = re.compile(r"^=== (zh|en) \| (\S.*)$")
_ANSWER = re.compile(r"^A(\d?): (\S.*)$")
_RULE = "---"
NOT_SAID = "none"


@dataclass(frozen=True, slots=True)
class Question:
    """Wordings of one question; `answer`: offsets in the text, None when it is not said there."""

    wordings: tuple[str, ...]
    answer: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class WrittenPaper:
    """A paper and what was asked of it."""

    language: str
    kind: str
    title: str
    text: str
    questions: tuple[Question, ...]


def read_written(path: Path) -> list[WrittenPaper]:
    """The papers of a file. Raises ValueError with the line where the file is not as it must be."""
    lines = path.read_text("utf-8").splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("=== ")]
    ends = [*heads[1:], len(lines)]
    return [_paper(lines, head, end, path.name) for head, end in zip(heads, ends, strict=True)]


def _paper(lines: list[str], head: int, end: int, name: str) -> WrittenPaper:
    where = f"{name}:{head + 1}"
    matched = _HEAD.match(lines[head])
    rules = [number for number in range(head, end) if lines[number] == _RULE]
    if not matched or len(rules) != 2 or not lines[head + 1].startswith("T:"):
        raise ValueError(f"{where}: a paper is '=== zh | kind', 'T: title', '---', text, '---'")
    text = "\n".join(lines[rules[0] + 1 : rules[1]])
    asked = _questions(lines, rules[1] + 1, end, text, name)
    return WrittenPaper(matched[1], matched[2], lines[head + 1][2:].strip(), text, asked)


def _questions(
    lines: list[str], start: int, end: int, text: str, name: str
) -> tuple[Question, ...]:
    found, wordings = list[Question](), list[str]()
    for number in range(start, end):
        line, where = lines[number].strip(), f"{name}:{number + 1}"
        answer = _ANSWER.match(line)
        if line.startswith("Q: "):
            wordings.append(line[3:].strip())
        elif answer and wordings:
            found.append(Question(tuple(wordings), _place(answer, text, where)))
            wordings = []
        elif line:
            raise ValueError(f"{where}: neither 'Q: …' nor an answer to one: {line[:60]!r}")
    if wordings:
        raise ValueError(f"{name}:{end}: a question without its answer: {wordings[0]!r}")
    return tuple(found)


def _place(answer: re.Match[str], text: str, where: str) -> tuple[int, int] | None:
    words = answer[2].strip()
    if words == NOT_SAID:
        return None
    starts = [match.start() for match in re.finditer(re.escape(words), text)]
    wanted = int(answer[1] or 1)
    if len(starts) < wanted:
        raise ValueError(f"{where}: stands {len(starts)} times in its text: {words[:60]!r}")
    if len(starts) > 1 and not answer[1]:
        raise ValueError(f"{where}: stands {len(starts)} times, say which (A1, A2 …): {words!r}")
    return starts[wanted - 1], starts[wanted - 1] + len(words)
