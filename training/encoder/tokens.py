"""Writes the encoder's tokenizer as a file, and cuts it to some of its pieces.

Knows the Unigram tokenizer of XLM-RoBERTa (Conneau et al. 2020) and the JSON of the tokenizers
library. Does not know which pieces are wanted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

BEGIN, PAD, END, UNKNOWN, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
SPECIAL = (BEGIN, PAD, END, UNKNOWN, MASK)
_NEVER = -1000.0
"""Log probability of special pieces: text that spells one is read as text."""


def unigram_tokenizer(pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    """The tokenizer of pieces with their log probabilities, in order of id."""
    scored = [(piece, _NEVER if piece in SPECIAL else score) for piece, score in pieces]
    ids = {piece: number for number, (piece, _) in enumerate(pieces)}
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=ids[UNKNOWN], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}",
        pair=f"{BEGIN} $A {END} {END} $B {END}",
        special_tokens=[(BEGIN, ids[BEGIN]), (END, ids[END])],
    )
    tokenizer.add_special_tokens([piece for piece in SPECIAL if piece in ids])
    return tokenizer


def cut_tokenizer(tokenizer_json: str, keep_ids: Sequence[int]) -> str:
    """The file of a tokenizer that has only the pieces of these ids, numbered in their order.

    Raises ValueError where the unknown piece or one that frames a text would be lost.
    """
    content: dict[str, Any] = json.loads(tokenizer_json)
    model = content["model"]
    numbers = {old: new for new, old in enumerate(keep_ids)}
    template = content["post_processor"]["special_tokens"].values()
    needed = {model["unk_id"], *(number for token in template for number in token["ids"])}
    if lost := sorted(needed - numbers.keys()):
        raise ValueError(f"pieces {lost} are needed and not kept")
    model["vocab"] = [model["vocab"][old] for old in keep_ids]
    model["unk_id"] = numbers[model["unk_id"]]
    content["added_tokens"] = [
        token | {"id": numbers[token["id"]]}
        for token in content["added_tokens"]
        if token["id"] in numbers
    ]
    for token in template:
        token["ids"] = [numbers[number] for number in token["ids"]]
    return json.dumps(content, ensure_ascii=False)
