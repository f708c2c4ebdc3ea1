"""Small tokenizers in the file formats of every family, for tests that need no shared data."""

import base64
import io
import json
from pathlib import Path
from typing import Any

from llm.tokenizers.byte_pairs import CUTS, GLM4_CONTROL_TOKENS
from llm.tokenizers.tokenizer_json import byte_characters

_TEXT = (
    "The pilot reported a loss of engine power shortly after takeoff from runway two seven.",
    "二〇二三年五月，某化工厂发生泄漏事故，造成三人受伤，直接经济损失约一百二十万元。",
    "[Round 1] 问：事故发生在什么时候？ 答：五月。 user assistant system observation gMASK sop eop",
)
_BLANKS = [f"<|blank_{count}|>" for count in range(2, 81)]


def write_ice_text(path: Path, num_pieces: int = 700) -> Path:
    """A SentencePiece model with the settings and own pieces of the first ChatGLM's."""
    import sentencepiece

    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_TEXT * 3),
        model_writer=content,
        model_type="unigram",
        vocab_size=num_pieces,
        hard_vocab_limit=False,
        byte_fallback=True,
        pad_id=3,
        user_defined_symbols=["<n>", "<|tab|>", *_BLANKS],
        control_symbols=["[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>"],
        num_threads=1,
        minloglevel=2,
    )
    path.write_bytes(content.getvalue())
    return path


def write_ranks(path: Path) -> Path:
    """A list of ranks: every byte, and a few pairs."""
    tokens = [bytes([value]) for value in range(256)]
    tokens += [b"us", b"er", b"user", b"<|", b"|>", "你".encode()[:2], "你".encode()]
    lines = [base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens)]
    path.write_bytes(b"".join(lines))
    return path


def tokenizer_json(num_tokens: int = 400, prefix: bool = True) -> dict[str, Any]:
    """A byte-level tokenizer.json with GLM-4's control tokens, which text can name."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, processors, trainers

    pairs = tokenizers.Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=num_tokens, initial_alphabet=alphabet)
    pairs.train_from_iterator(_TEXT * 3, trainer)
    pairs.add_special_tokens(list(GLM4_CONTROL_TOKENS))
    if prefix:
        names = ("[gMASK]", "<sop>")
        pairs.post_processor = processors.TemplateProcessing(
            single="[gMASK] <sop> $A",
            special_tokens=[(name, pairs.token_to_id(name)) for name in names],
        )
    content: dict[str, Any] = json.loads(pairs.to_str())
    return content


def write_tokenizer_json(path: Path, prefix: bool = True) -> Path:
    path.write_text(json.dumps(tokenizer_json(prefix=prefix)), encoding="utf-8")
    return path


def ranks_as_tokenizer_json(ranks: dict[bytes, int]) -> dict[str, Any]:
    """The same byte pairs in the format of native GLM checkpoints."""
    character_of = dict(byte_characters())
    shown = {token: "".join(character_of[value] for value in token) for token in ranks}
    splits = ((token, token[:at], token[at:]) for token in ranks for at in range(1, len(token)))
    merges = sorted(
        (ranks[token], ranks[left], ranks[right], left, right)
        for token, left, right in splits
        if left in ranks and right in ranks
    )
    cuts = {"type": "Split", "pattern": {"Regex": CUTS}, "behavior": "Isolated", "invert": False}
    bytewise = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": False,
    }
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": len(ranks) + number,
                "content": name,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, name in enumerate(GLM4_CONTROL_TOKENS)
        ],
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [cuts, bytewise]},
        "post_processor": bytewise,
        "decoder": bytewise,
        "model": {
            "type": "BPE",
            "ignore_merges": True,
            "vocab": {shown[token]: rank for token, rank in ranks.items()},
            "merges": [[shown[left], shown[right]] for _, _, _, left, right in merges],
        },
    }
