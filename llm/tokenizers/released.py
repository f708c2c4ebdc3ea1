"""What the released tokenizers do beyond ids of plain text, for comparing with them only.

They find the strings of some control tokens in text and turn them into control ids: encode only
text that you trust. Nothing that builds prompts may import this module; a lint contract and a
test hold that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm.tokenizers.byte_pairs import GLM4_CONTROL_TOKENS
from llm.tokenizers.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class ReleasedTokenizer:
    """One released tokenizer around ours.

    `parsed` are the strings that it finds in text, `before` and `after` the control tokens around
    every text. `strips_around_parsed` is what the library of the first generation did beside
    them, `spaces_around_control` what that of GLM-4 does when decoding. `names_control` says that
    decoding shows control tokens by name. `text_ids` are the tokens of text that it finds by name.
    The other fields are the attributes it reports.
    """

    tokenizer: Tokenizer
    parsed: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    pad: str
    eos: str
    unk: str | None
    bos: str | None
    text_ids: Mapping[str, int]
    knows_unk_id: bool = False
    strips_around_parsed: bool = False
    spaces_around_control: bool = False
    names_control: bool = False
    num_text_ids: int | None = None
    num_nameless: int = 0

    def encode(self, trusted_text: str, *, special: bool) -> list[int]:
        """Ids as released; `special` adds the control tokens around the text."""
        ids = [token_id for part in self._parts(trusted_text) for token_id in self._ids(part)]
        if not special:
            return ids
        return [*map(self.id_of, self.before), *ids, *map(self.id_of, self.after)]

    def decode(self, ids: Sequence[int]) -> str:
        """Text as released, whose control tokens some families show by name."""
        if not self.names_control:
            return self.tokenizer.decode(ids)
        pieces: list[str] = []
        for is_control, run in _runs(self.tokenizer, ids):
            pieces += [self._run_text(is_control, run, at_start=not pieces)]
        return (" " if self.spaces_around_control else "").join(pieces)

    def id_of(self, name: str) -> int:
        """The id by which the release knows a token; the unknown one's for a name it lacks.

        Raises:
            KeyError: it lacks the name and has no unknown token.
        """
        if name in self.tokenizer.control_names:
            return self.tokenizer.control_id(name)
        if self.unk is None:
            raise KeyError(name)
        return self.text_ids.get(name, 0)

    @property
    def num_tokens(self) -> int:
        """What `len` of the release gives: names that differ, ids without one being one name."""
        return self.tokenizer.num_ids - max(0, self.num_nameless - 1)

    @property
    def attributes(self) -> dict[str, object]:
        """What the release reports of itself, by the names of the `transformers` library."""
        unk_id = self.id_of(self.unk) if self.unk and self.knows_unk_id else None
        return {
            "vocab_size": self.num_text_ids or self.tokenizer.num_ids,
            "pad_token": self.pad,
            "pad_token_id": self.id_of(self.pad),
            "eos_token": self.eos,
            "eos_token_id": self.id_of(self.eos),
            "unk_token": self.unk,
            "unk_token_id": unk_id,
            "bos_token": self.bos,
            "bos_token_id": self.id_of(self.bos) if self.bos else None,
            "padding_side": "left",
            "all_special_tokens": list(self.parsed),
            "all_special_ids": [self.id_of(name) for name in self.parsed],
        }

    def _parts(self, text: str) -> list[str]:
        """The text, cut at the strings that are parsed; those are parts of their own."""
        if not self.parsed:
            return [text]
        longest_first = sorted(self.parsed, key=len, reverse=True)
        parts = re.split(f"({'|'.join(map(re.escape, longest_first))})", text)
        if not self.strips_around_parsed or len(parts) == 1:
            return parts
        # Parsed strings stand at odd places, with text between that may be empty.
        last = len(parts) - 1
        parts[0], parts[last] = parts[0].rstrip(), parts[last].lstrip()
        parts[2:last:2] = [part.strip() for part in parts[2:last:2]]
        return parts

    def _ids(self, part: str) -> list[int]:
        return [self.id_of(part)] if part in self.parsed else self.tokenizer.encode(part)

    def _run_text(self, is_control: bool, run: list[int], *, at_start: bool) -> str:
        if is_control:
            separator = " " if self.spaces_around_control else ""
            return separator.join(map(self.tokenizer.token_name, run))
        if at_start:
            return self.tokenizer.decode(run)
        return b"".join(map(self.tokenizer.token_bytes, run)).decode("utf-8", "replace")


def released(model: str, tokenizer: Tokenizer) -> ReleasedTokenizer:
    """The released tokenizer of a family: v1, v2, v3 or glm4.

    Raises:
        KeyError: another family.
    """
    return {"v1": _v1, "v2": _v2, "v3": _v3, "glm4": _glm4}[model](tokenizer)


def _v1(tokenizer: Tokenizer) -> ReleasedTokenizer:
    return ReleasedTokenizer(
        tokenizer,
        parsed=("<sop>", "<eop>", "<unk>", "<pad>", "[MASK]"),
        before=(),
        after=("[gMASK]", "<sop>"),
        pad="<pad>",
        eos="<eop>",
        unk="<unk>",
        bos="<sop>",
        text_ids=_text_ids(tokenizer),
        knows_unk_id=True,
        strips_around_parsed=True,
    )


def _v2(tokenizer: Tokenizer, *, num_nameless: int = 0) -> ReleasedTokenizer:
    return ReleasedTokenizer(
        tokenizer,
        parsed=(),
        before=("[gMASK]", "sop"),
        after=(),
        pad="<unk>",
        eos="</s>",
        unk="<unk>",
        bos=None,
        text_ids=_text_ids(tokenizer),
        names_control=bool(num_nameless),
        num_nameless=num_nameless,
    )


def _v3(tokenizer: Tokenizer) -> ReleasedTokenizer:
    # The library of the third generation counts names, and <unk>, <s> and </s> have an empty one.
    return _v2(tokenizer, num_nameless=3)


def _glm4(tokenizer: Tokenizer) -> ReleasedTokenizer:
    return ReleasedTokenizer(
        tokenizer,
        parsed=GLM4_CONTROL_TOKENS,
        before=("[gMASK]", "<sop>"),
        after=(),
        pad="<|endoftext|>",
        eos="<|endoftext|>",
        unk=None,
        bos=None,
        text_ids={},
        spaces_around_control=True,
        names_control=True,
        num_text_ids=tokenizer.num_ids - len(GLM4_CONTROL_TOKENS),
    )


def _text_ids(tokenizer: Tokenizer) -> dict[str, int]:
    return {
        tokenizer.token_name(token_id): token_id
        for token_id in range(tokenizer.num_ids)
        if not tokenizer.is_control(token_id)
    }


def _runs(tokenizer: Tokenizer, ids: Sequence[int]) -> list[tuple[bool, list[int]]]:
    """Control ids and text ids, each run of a kind together."""
    runs: list[tuple[bool, list[int]]] = []
    for token_id in ids:
        is_control = tokenizer.is_control(token_id)
        if runs and runs[-1][0] == is_control:
            runs[-1][1].append(token_id)
        else:
            runs.append((is_control, [token_id]))
    return runs
