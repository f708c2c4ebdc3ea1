"""Compare a tokenizer and its chat format with golden values, entry by entry.

Reads the JSON files that record what the released tokenizers gave: ids of texts, decoded texts,
special ids, attributes, chats and left-padded batches. Knows no models and no weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from llm.chats.chat import ModelMessage, prompt_ids
from llm.chats.chat_formats import (
    ChatFormat,
    RoundsFormat,
    chatglm2_format,
    chatglm3_format,
    chatglm_format,
    glm4_format,
)
from llm.chats.tool_prompts import GLM4_FIRST_NAME, GLM4_NAME
from llm.errors import CheckpointError
from llm.released_texts import ANSWER, QUESTION
from llm.tokenizers import (
    TOKENIZER_FILE,
    ChatGLM2Tokenizer,
    ChatGLM3Tokenizer,
    ChatGLMTokenizer,
    GLM4Tokenizer,
    Tokenizer,
)
from llm.tokenizers.released import ReleasedTokenizer, released
from llm.tokenizers.sentence_pieces import ICE_TEXT_FILE

MAX_DIFFERENCES = 20
# One thing compared: where it stands in the file, what is recorded, what we give.
Check = tuple[str, object, object]


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What a comparison found: `differences` tells the first MAX_DIFFERENCES of them."""

    num_checks: int
    num_differences: int
    differences: tuple[str, ...]
    num_checks_of: Mapping[str, int]

    @property
    def passed(self) -> bool:
        return self.num_checks > 0 and self.num_differences == 0


@dataclass(frozen=True, slots=True)
class _Family:
    """How a golden file's family is read: its released name, reader, file and format."""

    name: str
    reader: Callable[[Path], Tokenizer]
    file: str
    chats: Callable[[Tokenizer], ChatFormat]


@dataclass(frozen=True, slots=True)
class _Subject:
    """One golden file and what is compared with it."""

    recorded: Mapping[str, Any]
    family: _Family
    reference: ReleasedTokenizer

    def chats(self, name: str = GLM4_NAME) -> ChatFormat:
        """The chat format; `name` is what GLM-4 is told to be."""
        tokenizer = self.reference.tokenizer
        if self.family.name == "glm4":
            return glm4_format(tokenizer, name)
        return self.family.chats(tokenizer)


_FAMILIES = {
    "v1": _Family("v1", ChatGLMTokenizer, ICE_TEXT_FILE, chatglm_format),
    "v2": _Family("v2", ChatGLM2Tokenizer, TOKENIZER_FILE, chatglm2_format),
    "v3": _Family("v3", ChatGLM3Tokenizer, TOKENIZER_FILE, chatglm3_format),
    "glm4orig": _Family("glm4", GLM4Tokenizer, TOKENIZER_FILE, glm4_format),
}


def token_parity(golden: Path, tokenizers: Path) -> TokenReport:
    """Compare every entry of a golden file with the tokenizer below the folder `tokenizers`.

    Raises:
        CheckpointError: the file is not readable, of an unknown family, has an entry that
            is not known, or its tokenizer is missing.
    """
    recorded = _read(golden)
    family = _FAMILIES.get(str(recorded.get("model")))
    if family is None:
        raise CheckpointError(
            f"{golden} is of the model {recorded.get('model')!r};"
            f" expected one of {', '.join(_FAMILIES)}"
        )
    tokenizer = _tokenizer(family, tokenizers)
    subject = _Subject(recorded, family, released(family.name, tokenizer))
    counts: dict[str, int] = {}
    differences = []
    for entry in recorded:
        if entry not in _CHECKERS:
            raise CheckpointError(
                f"{golden} has the entry {entry!r}; known: {', '.join(_CHECKERS)}"
            )
        checks = _checked(golden, entry, subject)
        counts[entry] = len(checks)
        differences += [_told(check) for check in checks if check[1] != check[2]]
    return TokenReport(
        sum(counts.values()), len(differences), tuple(differences[:MAX_DIFFERENCES]), counts
    )


def _read(golden: Path) -> dict[str, Any]:
    try:
        recorded = json.loads(golden.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"cannot read {golden}: {error}") from error
    if not isinstance(recorded, dict):
        raise CheckpointError(f"{golden} holds a {type(recorded).__name__}; expected an object")
    return recorded


def _tokenizer(family: _Family, tokenizers: Path) -> Tokenizer:
    """The first tokenizer below the folder that is one of the family's, by what it holds."""
    problems = []
    for file in sorted(tokenizers.rglob(family.file)):
        try:
            return family.reader(file)
        except CheckpointError as error:
            problems.append(str(error))
    found = "; ".join(problems) or "none of that name"
    raise CheckpointError(
        f"{tokenizers} has no {family.file} of the generation {family.name}: {found}"
    )


def _checked(golden: Path, entry: str, subject: _Subject) -> list[Check]:
    try:
        return list(_CHECKERS[entry](subject.recorded[entry], subject))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{golden} has a malformed entry {entry!r}: {error!r}") from error


def _told(check: Check) -> str:
    where, expected, found = check
    return f"{where}: expected {_short(expected)}, found {_short(found)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}…"


def _read_elsewhere(value: object, subject: _Subject) -> Iterator[Check]:
    """Nothing: the entry names the file, or is what another entry is read with."""
    yield from ()


def _no_tokens(value: object, subject: _Subject) -> Iterator[Check]:
    yield "tokens", value, {}


def _encoded(value: Mapping[str, Any], subject: _Subject, *, special: bool) -> Iterator[Check]:
    """Ids as released; for text without parsed strings, as our own encoding too."""
    reference = subject.reference
    for text, expected in value.items():
        found = reference.encode(text, special=special)
        yield f"ids of {text!r}, special {special}", expected, found
        if not special and not any(name in text for name in reference.parsed):
            yield f"plain ids of {text!r}", expected, reference.tokenizer.encode(text)


def _round_trips(value: Mapping[str, Any], subject: _Subject) -> Iterator[Check]:
    for text, expected in value.items():
        ids = subject.reference.encode(text, special=False)
        yield f"round trip of {text!r}", expected, subject.reference.decode(ids)
        if not any(name in text for name in subject.reference.parsed):
            yield f"decoded {text!r}", expected, subject.reference.tokenizer.decode(ids)


def _special_ids(value: Mapping[str, Any], subject: _Subject) -> Iterator[Check]:
    for name, expected in value.items():
        yield f"id of {name!r}", expected, _id_or_error(name, subject.reference)


def _id_or_error(name: str, reference: ReleasedTokenizer) -> int | str:
    try:
        return reference.id_of(name)
    except KeyError as error:
        return f"ERR {error!r}"


def _attributes(value: Mapping[str, Any], subject: _Subject) -> Iterator[Check]:
    found = subject.reference.attributes
    for name, expected in value.items():
        yield f"attribute {name}", expected, repr(found[name])


def _length(value: object, subject: _Subject) -> Iterator[Check]:
    yield "number of tokens", value, subject.reference.num_tokens


def _prompts(value: Mapping[str, Any], subject: _Subject) -> Iterator[Check]:
    """Ids of prompts of rounds, from their text and from the turns that the text shows."""
    chats = subject.chats()
    if not isinstance(chats, RoundsFormat):
        raise ValueError("prompts of rounds are known of the first two generations only")
    for name, expected in value.items():
        text = subject.recorded["prompts"][name]
        yield f"prompt {name}", expected, subject.reference.encode(text, special=True)
        messages = _turns(text, chats.gap)
        yield f"rounds of {name}", expected, prompt_ids(chats.segments(messages))


def _turns(text: str, gap: str) -> list[ModelMessage]:
    """The messages of a prompt of rounds, whose texts hold no round markers of their own."""
    rounds = re.split(rf"(?:^|{gap})\[Round \d+\]{gap}{QUESTION}", text)[1:]
    messages = []
    for each in rounds:
        question, _, answer = each.partition(gap + ANSWER)
        messages.append(ModelMessage("user", question))
        messages += [ModelMessage("assistant", answer)] if answer else []
    return messages or [ModelMessage("user", text)]


def _chats(value: Mapping[str, Any], subject: _Subject) -> Iterator[Check]:
    for name, chat in value.items():
        shown = chat.get("text", "")
        chats = subject.chats(GLM4_FIRST_NAME if GLM4_FIRST_NAME in shown else GLM4_NAME)
        found = prompt_ids(chats.segments(_messages(chat)))
        yield f"chat {name}", chat["input_ids"], found
        if "position_ids" in chat:
            yield f"positions of {name}", chat["position_ids"], list(range(len(found)))
        if "decoded" in chat:
            yield f"decoded {name}", chat["decoded"], subject.reference.decode(found)
        if shown:
            unspaced = replace(subject.reference, spaces_around_control=False)
            yield f"text of {name}", shown, unspaced.decode(found)


def _messages(chat: Mapping[str, Any]) -> list[ModelMessage]:
    """A recorded chat: a list of messages, or a history and the query after it."""
    query = {"role": chat.get("role"), "content": chat.get("query")}
    turns = chat["messages"] if "messages" in chat else [*chat["history"], query]
    return [
        ModelMessage(
            turn["role"],
            turn.get("content") or "",
            turn.get("metadata", ""),
            tuple(turn.get("tools") or ()),
        )
        for turn in turns
    ]


def _batch(value: Mapping[str, Any], subject: _Subject) -> Iterator[Check]:
    """A left-padded batch of recorded strings, which its rows are recognised as."""
    expected = value["input_ids"]
    pad_id = subject.reference.id_of(subject.reference.pad)
    texts = [_text_of(row, subject) for row in expected]
    for row, text in zip(expected, texts, strict=True):
        yield "row of the padded batch", "one of the recorded strings", _recognised(row, text)
    rows = [subject.reference.encode(text or "", special=True) for text in texts]
    padded = [[pad_id] * (max(map(len, rows)) - len(row)) + row for row in rows]
    yield "padded ids", expected, padded
    layout = _rounds_layout if subject.family.name == "v1" else _causal_layout
    num_pads = [len(ids) - len(row) for ids, row in zip(padded, rows, strict=True)]
    found = [layout(row, pads, subject) for row, pads in zip(rows, num_pads, strict=True)]
    yield "padded mask", value["attention_mask"], [mask for mask, _ in found]
    yield "padded positions", value["position_ids"], [positions for _, positions in found]


def _recognised(row: Sequence[int], text: str | None) -> str:
    return _short(row) if text is None else "one of the recorded strings"


def _text_of(row: Sequence[int], subject: _Subject) -> str | None:
    """The recorded string whose ids end the row, with nothing but one repeated id before them."""
    for text, ids in subject.recorded["encode_with_special"].items():
        if ids and list(row[-len(ids) :]) == ids and len(set(row[: -len(ids)])) <= 1:
            return str(text)
    return None


def _causal_layout(row: Sequence[int], num_pads: int, subject: _Subject) -> tuple[Any, Any]:
    return [0] * num_pads + [1] * len(row), [0] * num_pads + list(range(len(row)))


def _rounds_layout(row: Sequence[int], num_pads: int, subject: _Subject) -> tuple[Any, Any]:
    """The first generation's: True hides; what stands before <sop> is seen from both sides; from
    <sop> on, positions stay at the mask and a second axis counts."""
    tokenizer = subject.reference.tokenizer
    start = row.index(tokenizer.control_id("<sop>"))
    mask_at = row.index(tokenizer.control_id("[gMASK]"))
    size = num_pads + len(row)
    seen = [max(query, num_pads + start - 1) for query in range(size)]
    hidden = [
        [min(query, key) < num_pads or key > seen[query] for key in range(size)]
        for query in range(size)
    ]
    blocks = len(row) - start
    first = [0] * num_pads + list(range(start)) + [mask_at] * blocks
    second = [0] * (num_pads + start) + list(range(1, blocks + 1))
    return [hidden], [first, second]


_CHECKERS: Mapping[str, Callable[..., Iterator[Check]]] = {
    "model": _read_elsewhere,
    "tokens": _no_tokens,
    "encode_no_special": partial(_encoded, special=False),
    "encode_with_special": partial(_encoded, special=True),
    "roundtrip": _round_trips,
    "special_ids": _special_ids,
    "attrs": _attributes,
    "len": _length,
    "prompts": _read_elsewhere,
    "prompt_ids": _prompts,
    "chat": _chats,
    "padded_batch": _batch,
}
