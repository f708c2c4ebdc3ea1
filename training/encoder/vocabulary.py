"""Chooses the pieces of a multilingual tokenizer that Chinese and English texts need.

Knows scripts, character sets and counts over sample texts. A piece is worth more than its own
count: the other spellings of a word (capitals, traditional characters, inside a word) count a
little for it, since no sample has seen everything. Does not know vectors.
"""

from __future__ import annotations

import gzip
import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from kb_service.language.variants import simplified
from training.encoder.tokens import BEGIN, END, PAD, UNKNOWN

MAX_PIECES = 52_000
_SPACE = "\u2581"  # what stands for a blank at the beginning of a word
_ALWAYS = (BEGIN, PAD, END, UNKNOWN, _SPACE)
_TEXTS_AT_ONCE = 2000
_SHARE_OF_KIN = 0.1
_BIG5_FREQUENT = range(0xA440, 0xC680)  # its level 1


def texts_of(folder: Path) -> Iterator[str]:
    """Every text of a folder once: files of Markdown and plain text, strings in JSON lines."""
    seen: set[int] = set()
    for path in sorted(folder.rglob("*")):
        for text in _texts_in(path):
            if hash(text) not in seen:
                seen.add(hash(text))
                yield text


def _texts_in(path: Path) -> Iterator[str]:
    if path.suffix in (".md", ".txt"):
        yield path.read_text(encoding="utf-8")
    elif path.name.endswith(".jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield from _strings(json.loads(line))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def count_pieces(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    """How often each id occurs in the texts."""
    counts: Counter[int] = Counter()
    rest = iter(texts)
    while batch := list(islice(rest, _TEXTS_AT_ONCE)):
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
            counts.update(encoding.ids)
    return counts


def choose_pieces(
    pieces: Sequence[str], counts: Counter[int], max_pieces: int = MAX_PIECES
) -> list[int]:
    """The ids to keep, in order: what any text may need, then the pieces that are worth most."""
    always = {number for number, piece in enumerate(pieces) if is_basic(piece)}
    worth = _worth(pieces, counts)
    ranked = sorted(worth.keys() - always, key=lambda number: (-worth[number], number))
    return sorted(always | set(ranked[: max(0, max_pieces - len(always))]))


def is_basic(piece: str) -> bool:
    """Whether a text may need the piece whatever the sample says: a frame, a mark, a character."""
    text = piece.removeprefix(_SPACE)
    if piece in _ALWAYS:
        return True
    return len(text) == 1 and (text.isascii() or _is_mark(text) or _is_frequent(text))


def _is_mark(character: str) -> bool:
    """Punctuation, a sign, or a letter of western Europe."""
    kind = unicodedata.category(character)
    return kind[0] == "P" or kind in ("Sc", "Sm") or character <= "\u00ff"


def _is_frequent(character: str) -> bool:
    """Whether a character set of the simplified or the traditional script has it as frequent."""
    if not unicodedata.name(character, "").startswith("CJK UNIFIED"):
        return False
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        code = int.from_bytes(character.encode("big5", errors="ignore"), "big")
        return code in _BIG5_FREQUENT
    return True


def _worth(pieces: Sequence[str], counts: Counter[int]) -> dict[int, float]:
    families: defaultdict[str, list[int]] = defaultdict(list)
    for number, piece in enumerate(pieces):
        families[simplified(piece.removeprefix(_SPACE)).lower()].append(number)
    worth: dict[int, float] = {}
    for family in families.values():
        total = sum(counts[number] for number in family)
        for number in family if total else ():
            worth[number] = counts[number] + _SHARE_OF_KIN * (total - counts[number])
    return worth
