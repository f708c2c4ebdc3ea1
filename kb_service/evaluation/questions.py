"""Question files: JSON lines, one question each, read and checked before anything is asked.

Accepts our own rows and those of the demo and reading sets; names file, line and field of what is
wrong. Knows no base: whether a named document exists is found out when it is asked for.

    {"question": "...", "answers": ["..."], "relevant": [{"document": "a.pdf", "page": 2}],
     "answerable": true, "kind": "date", "id": "q1", "after": ["an earlier question"]}

Only `question` is required; `answerable` is true when there is an answer. An answer `a&b` is right
when both parts stand in the reply. `answer` (one text),
`docs` or `documents` (names), `refs` ({"doc", "text"}), `qtype` and `evidence` are read too.
"""

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.errors import InvalidRequest

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, order=True)
class RelevantPlace:
    """A document that answers the question, by name, and its page when the file says one."""

    document: str
    page_number: int | None = None


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question with what a right reply is. `answers`: gold texts, none when unanswerable.

    `kind`: a label to group by. `evidence`: sentences that a good citation shows. `after`: what is
    asked before it in the same conversation.
    """

    id: str
    text: str
    answers: tuple[str, ...] = ()
    is_answerable: bool = True
    relevant: tuple[RelevantPlace, ...] = ()
    kind: str = ""
    evidence: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


class _Wrong(Exception):
    """A field that is not what it should be."""

    def __init__(self, field: str, expected: str, found: object) -> None:
        super().__init__(f"field {field!r} must be {expected}, found {_shown(found)}")
        self.field = field


def read_questions(path: Path) -> list[LabelledQuestion]:
    """Return the questions of a file (.gz is unpacked), in order; an empty file gives none.

    Raises InvalidRequest: no_such_path, or invalid_question_file naming line and field.
    """
    return [_checked(path, number, row) for number, row in enumerate_rows(path)]


def enumerate_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield (line number, object) of a JSON-lines file; blank lines are passed over.

    Raises InvalidRequest like `read_questions`.
    """
    if not path.is_file():
        raise InvalidRequest(f"{path} is not a file", code="no_such_path")
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, _object(path, number, line)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"{path} cannot be read as UTF-8 text: {error}", code="invalid_question_file"
        ) from error


def sample(
    questions: Sequence[LabelledQuestion], limit: int | None, seed: int
) -> list[LabelledQuestion]:
    """Return all questions, or a seeded sample of `limit` in the file's order."""
    if limit is None or limit >= len(questions):
        return list(questions)
    chosen = random.Random(seed).sample(range(len(questions)), limit)  # noqa: S311  no secret
    return [questions[place] for place in sorted(chosen)]


def question_of(row: Row, default_id: str = "") -> LabelledQuestion:
    """Return the question of one row. Raises ValueError naming the field."""
    try:
        return _question(row, default_id)
    except _Wrong as wrong:
        raise ValueError(str(wrong)) from wrong


def _checked(path: Path, number: int, row: Row) -> LabelledQuestion:
    try:
        return _question(row, f"line {number}")
    except _Wrong as wrong:
        raise InvalidRequest(
            f"{path}, line {number}: {wrong}",
            code="invalid_question_file",
            details={"line": number, "field": wrong.field},
        ) from wrong


def _object(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _bad_line(path, number, f"is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise _bad_line(path, number, f"must be a JSON object, found {_shown(row)}")
    return row


def _bad_line(path: Path, number: int, text: str) -> InvalidRequest:
    message = f"{path}, line {number}: the line {text}"
    return InvalidRequest(message, code="invalid_question_file", details={"line": number})


def _question(row: Row, default_id: str) -> LabelledQuestion:
    text = row.get("question")
    if not isinstance(text, str) or not text.strip():
        raise _Wrong("question", "a text", text)
    answers = _answers(row)
    is_answerable = row.get("answerable", bool(answers))
    if not isinstance(is_answerable, bool):
        raise _Wrong("answerable", "true or false", is_answerable)
    if is_answerable and not answers:
        raise _Wrong("answers", "at least one text when the question is answerable", answers)
    return LabelledQuestion(
        id=_label(row, "id") or default_id,
        text=text,
        answers=tuple(answers) if is_answerable else (),
        is_answerable=is_answerable,
        relevant=_relevant(row) if is_answerable else (),
        kind=_label(row, "kind") or _label(row, "qtype"),
        evidence=tuple(_texts(row, "evidence")),
        after=_earlier(row),
    )


def _earlier(row: Row) -> tuple[str, ...]:
    turns = _texts(row, "after")
    if not all(turn.strip() for turn in turns):
        raise _Wrong("after", "a list of questions", turns)
    return tuple(turns)


def _answers(row: Row) -> list[str]:
    if "answers" not in row and row.get("answer") is not None:
        answer = row["answer"]
        if isinstance(answer, bool) or not isinstance(answer, str | int | float):
            raise _Wrong("answer", "a text or a number", answer)
        return [str(answer)] if str(answer).strip() else []
    return [text for text in _texts(row, "answers", "text") if text.strip()]


def _texts(row: Row, field: str, key: str = "") -> list[str]:
    """Return a list of texts; with a key, objects that hold the text under it will do."""
    items = row.get(field)
    if items is None:
        return []
    if not isinstance(items, list):
        raise _Wrong(field, "a list of texts", items)
    texts = [item.get(key) if key and isinstance(item, dict) else item for item in items]
    for text in texts:
        if not isinstance(text, str):
            raise _Wrong(field, "a list of texts", items)
    return [str(text) for text in texts]


def _relevant(row: Row) -> tuple[RelevantPlace, ...]:
    places = [_place(item) for item in _list(row, "relevant")]
    for field in ("documents", "docs"):
        places += [RelevantPlace(name) for name in _texts(row, field)]
    named = {place.document for place in places}
    refs = [ref["doc"] for ref in _list(row, "refs") if isinstance(ref, dict) and "doc" in ref]
    places += [RelevantPlace(str(name)) for name in refs if name not in named]
    return tuple(dict.fromkeys(places))


def _list(row: Row, field: str) -> list[object]:
    items = row.get(field, [])
    if not isinstance(items, list):
        raise _Wrong(field, "a list", items)
    return items


def _place(item: object) -> RelevantPlace:
    if isinstance(item, str) and item:
        return RelevantPlace(item)
    expected = 'document names or {"document": name, "page": number}'
    if not isinstance(item, dict) or not isinstance(item.get("document"), str):
        raise _Wrong("relevant", expected, item)
    page = item.get("page")
    if page is not None and (isinstance(page, bool) or not isinstance(page, int) or page < 1):
        raise _Wrong("relevant", "pages of 1 or more", page)
    return RelevantPlace(item["document"], page)


def _label(row: Row, field: str) -> str:
    value = row.get(field, "")
    if not isinstance(value, str | int):
        raise _Wrong(field, "a text", value)
    return str(value)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 80 else f"{text[:77]}..."
