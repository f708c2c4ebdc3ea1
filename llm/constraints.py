"""Rules on which token may come next: the form of a rule, and every rule that there is.

Plain values without torch. Does not know the model, the prompt, tools or formats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from llm.released_texts import QUOTATION_MARKS

MARKS = {opening.encode(): closing.encode() for opening, closing in QUOTATION_MARKS.items()}
_LONGEST_MARK = max(len(mark) for mark in MARKS)


@dataclass(frozen=True, slots=True)
class Restriction:
    """The only ids that may be chosen (at least one) or, with `forbids`, those that may not."""

    ids: Sequence[int]
    forbids: bool = False


class Constraint(Protocol):
    """The rule for one reply."""

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        """What may follow the generated ids; None where every id may."""
        ...


class CallConstraint:
    """A reply that has to call a tool: it may only begin as one of the calls would.

    It bounds the first ids and leaves the rest to the model. `openings` are the ids by which each
    call begins, none empty.
    """

    def __init__(self, openings: Sequence[Sequence[int]]) -> None:
        self._openings = [tuple(opening) for opening in openings]

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        """The ids that go on with some opening; None once one is complete."""
        num = len(generated)
        begun = [opening for opening in self._openings if _agree(opening, generated)]
        if any(len(opening) <= num for opening in begun):
            return None
        return Restriction(sorted({opening[num] for opening in begun}))


def _agree(opening: Sequence[int], generated: Sequence[int]) -> bool:
    return all(left == right for left, right in zip(opening, generated, strict=False))


@dataclass(frozen=True)
class QuoteVocabulary:
    """What a tokenizer's ids look like in bytes; one for all requests.

    `marks` are the pairs of opening and closing marks whose closing mark is a token;
    `opens_with_text` are the ids that hold an opening mark and more behind it, with that rest.
    """

    id_of: dict[bytes, int]
    marks: dict[bytes, bytes]
    opens_with_text: dict[int, bytes]
    longest: int

    @classmethod
    def of(cls, token_bytes: Callable[[int], bytes], num_ids: int) -> QuoteVocabulary:
        """Read every id's bytes once; ids without bytes are control ids."""
        id_of: dict[bytes, int] = {}
        for token_id in range(num_ids):
            id_of.setdefault(token_bytes(token_id), token_id)
        id_of.pop(b"", None)
        marks = {opening: closing for opening, closing in MARKS.items() if closing in id_of}
        rests = {
            token_id: max((data.partition(mark)[2] for mark in marks), key=len, default=b"")
            for data, token_id in id_of.items()
        }
        opens_with_text = {token_id: rest for token_id, rest in rests.items() if rest}
        return cls(id_of, marks, opens_with_text, max(map(len, id_of), default=0))


class QuoteConstraint:
    """Inside quotation marks, only what a source says word for word.

    Follows the text of a reply byte by byte; from an opening mark to its closing mark it allows
    only tokens that continue a place in one of the sources. What is quoted is verbatim by
    construction; whether it is a good answer is for others to judge. `restriction` must see every
    id that was generated, in order.
    """

    def __init__(
        self,
        sources: Sequence[str],
        vocabulary: QuoteVocabulary,
        token_bytes: Callable[[int], bytes],
    ) -> None:
        self._text = b"\0".join(source.encode() for source in sources)
        self._vocabulary = vocabulary
        self._token_bytes = token_bytes
        self._num_read = 0
        self._tail = b""
        self._closing = b""
        self._quoted = b""
        self._places: list[int] = []
        self._never_outside = [
            token_id
            for token_id, rest in vocabulary.opens_with_text.items()
            if rest not in self._text
        ]

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        """Outside quotations everything but tokens that would open a false one."""
        for token_id in generated[self._num_read :]:
            self._read(self._token_bytes(token_id))
        self._num_read = len(generated)
        if self._closing:
            return Restriction(self._continuations())
        return Restriction(self._never_outside, forbids=True) if self._never_outside else None

    def _read(self, data: bytes) -> None:
        for number in range(len(data)):
            self._read_byte(data[number : number + 1])

    def _read_byte(self, byte: bytes) -> None:
        if not self._closing:
            self._tail = (self._tail + byte)[-_LONGEST_MARK:]
            for mark, closing in self._vocabulary.marks.items():
                if self._tail.endswith(mark):
                    self._closing, self._quoted, self._tail = closing, b"", b""
                    self._places = self._beginnings()
            return
        self._quoted += byte
        if self._quoted.endswith(self._closing):
            self._closing = b""
            return
        going_on = (place for place in self._places if self._text[place : place + 1] == byte)
        self._places = [place + 1 for place in going_on]

    def _beginnings(self) -> list[int]:
        """Every place where a character starts."""
        return [place for place, byte in enumerate(self._text) if _starts_character(byte)]

    def _continuations(self) -> list[int]:
        """Ids that continue a place in the sources, or close the quotation."""
        ids = set()
        known = self._vocabulary.id_of
        seen = set()
        for place in self._places:
            ahead = self._text[place : place + self._vocabulary.longest].partition(b"\0")[0]
            if ahead in seen:
                continue
            seen.add(ahead)
            for end in range(1, len(ahead) + 1):
                token_id = known.get(ahead[:end])
                if token_id is not None:
                    ids.add(token_id)
        if not ids or (self._quoted and self._at_character()):
            ids.add(known[self._closing])
        return sorted(ids)

    def _at_character(self) -> bool:
        """Whether what is quoted so far ends with a whole character."""
        return any(
            place >= len(self._text) or _starts_character(self._text[place])
            for place in self._places
        )


def _starts_character(byte: int) -> bool:
    return byte & 0xC0 != 0x80
