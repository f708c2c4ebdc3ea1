"""How the reader's SentencePiece file is trained.

Every frequent CJK character is a piece of its own, so that finding a word of the question in a
passage never depends on how a run of characters was cut. English is cut into byte-pair parts,
numbers into digits, anything else into bytes. Control ids stand behind the pieces, as in every
ChatGLM3 tokenizer. Does not know examples or shards, nor how text becomes ids.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.text import CJK
from kb_service.generation.pocket_prompt import MARKS

_IS_CJK = re.compile(f"[{CJK}]")
_CJK_PUNCTUATION = "，。、；：？！“”‘’（）《》〈〉「」『』【】…—·～"


@dataclass(frozen=True, slots=True)
class TokenizerRecipe:
    """How many pieces, how many of them single characters, and from how much English text."""

    num_pieces: int = 8_000
    num_characters: int = 4_600
    max_latin_chars: int = 6_000_000


def frequent_characters(texts: Iterable[str], limit: int) -> list[str]:
    """The ``limit`` most frequent CJK characters and marks; ties by the character itself."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    wanted = {c: n for c, n in counts.items() if _is_cjk(c)}
    return sorted(wanted, key=lambda c: (-wanted[c], c))[:limit]


def _is_cjk(character: str) -> bool:
    return character in _CJK_PUNCTUATION or bool(_IS_CJK.match(character))


def train_tokenizer(texts: Sequence[str], path: Path, recipe: TokenizerRecipe) -> Path:
    """Train on the texts and write a SentencePiece model; the same texts give the same file.

    Raises:
        ValueError: no Latin text to learn word parts from.
    """
    import sentencepiece

    latin = _latin_lines(texts, recipe.max_latin_chars)
    if not latin:
        raise ValueError("the texts hold no Latin words; expected some to learn word parts from")
    symbols = [*MARKS, "\n", *frequent_characters(texts, recipe.num_characters)]
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(latin),
        model_writer=content,
        model_type="bpe",
        vocab_size=recipe.num_pieces,
        hard_vocab_limit=False,
        user_defined_symbols=symbols,
        byte_fallback=True,
        split_digits=True,
        character_coverage=0.9999,
        normalization_rule_name="identity",
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    path.write_bytes(content.getvalue())
    return path


def _latin_lines(texts: Sequence[str], max_chars: int) -> list[str]:
    """Lines that are mostly Latin letters, in order, up to ``max_chars`` characters."""
    lines: list[str] = []
    total = 0
    for text in texts:
        for line in text.splitlines():
            letters = sum(c.isascii() and c.isalpha() for c in line)
            if letters * 2 > len(line) and total < max_chars:
                lines.append(line)
                total += len(line)
    return lines
