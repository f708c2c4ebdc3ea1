"""GLM-4's own tokenizer file: byte pairs by rank, one per line, for the tiktoken library.

Knows the file, how text is cut before pairs are merged, and the names of the ids behind the file.
Fetches and caches nothing: the ranks are read here, and the library only merges.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path

from llm.errors import CheckpointError
from llm.tokenizers.tokenizer import Tokenizer, read_tokenizer_file

# Numbered upwards from the first id behind the file, in this order.
GLM4_CONTROL_TOKENS = (
    "<|endoftext|>",
    "[MASK]",
    "[gMASK]",
    "[sMASK]",
    "<sop>",
    "<eop>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
    "<|begin_of_image|>",
    "<|end_of_image|>",
    "<|begin_of_video|>",
    "<|end_of_video|>",
)

# Where text is cut before merging: contractions, words, up to three digits, punctuation, blanks.
CUTS = "|".join(
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"[^\r\n\p{L}\p{N}]?\p{L}+",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
# The library's stack for looking ahead ends near a million blanks in a row, and it then aborts.
_MAX_BLANK_RUN = 500_000
_LONG_BLANKS = re.compile(rf"\s{{{_MAX_BLANK_RUN}}}")


class GLM4Tokenizer(Tokenizer):
    """Byte pairs of the text as it is: every text survives the round trip.

    Raises:
        CheckpointError: the file is missing or is no list of ranks.
    """

    def __init__(self, path: Path) -> None:
        import tiktoken

        ranks = read_ranks(path)
        table = sorted(ranks, key=ranks.__getitem__)
        controls = {name: len(table) + offset for offset, name in enumerate(GLM4_CONTROL_TOKENS)}
        table += [b""] * len(controls)
        super().__init__(path, table, controls, "<|endoftext|>")
        # Without special tokens the library has none that a text could name.
        self._pairs = tiktoken.Encoding(
            path.name, pat_str=CUTS, mergeable_ranks=ranks, special_tokens={}
        )

    def _encode(self, text: str) -> list[int]:
        return [i for part in _parts(text) for i in self._pairs.encode_ordinary(part)]


def read_ranks(path: Path) -> dict[bytes, int]:
    """Byte sequences and their ranks 0, 1, 2, …, with every single byte among them.

    Raises:
        CheckpointError: anything else.
    """
    expected = "lines of a base64 token and its rank"
    lines = read_tokenizer_file(path, expected).splitlines()
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(lines, start=1):
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            raise CheckpointError(
                f"line {number} of {path} is {line[:40]!r}; expected {expected}"
            ) from None
    if len(ranks) != len(lines) or sorted(ranks.values()) != list(range(len(lines))):
        raise CheckpointError(
            f"{path} has {len(lines)} lines, but not one token for each rank from 0 on"
        )
    missing = [value for value in range(256) if bytes([value]) not in ranks]
    if missing:
        raise CheckpointError(
            f"{path} has no token for {len(missing)} of the 256 single bytes, first {missing[0]};"
            " text with them could not be encoded"
        )
    return ranks


def _parts(text: str) -> Iterator[str]:
    """The text whole, unless it has a run of blanks that the library cannot take at once."""
    start = 0
    for run in _LONG_BLANKS.finditer(text):
        yield text[start : run.end()]
        start = run.end()
    yield text[start:]
