"""From the data folder to a folder of shards: tokenizer, examples, rows.

Knows the order of the steps and what each source gives. What a step means is in its own module.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kb_service.generation.pocket_prompt import ReaderTokenizer
from llm.tokenizers.sentence_pieces import TOKENIZER_FILE
from training.reader.cloze import cloze_examples
from training.reader.encoding import Encoded, Part, encode_example, encode_text
from training.reader.evidence import rarities
from training.reader.examples import Example, question_examples
from training.reader.recipe import Recipe
from training.reader.shards import ShardFacts, pack, write_manifest, write_shard
from training.reader.sources import Material, Titled, read_material
from training.reader.tokens import train_tokenizer
from training.seeding import seeded

SHARDS = ("text", "synthetic", "questions")
TEXTS_FOR_RARITIES = 20_000
CHARS_OF_A_TEXT = 3_000
CLOZES_PER_TEXT = 12
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All material with the rarities of its terms; texts in a fixed random order."""

    material: Material
    texts: list[Titled]
    idf: dict[str, float]

    @classmethod
    def of(cls, material: Material, seed: int) -> Corpus:
        texts = [*itertools.chain.from_iterable(material.texts.values()), *material.contexts()]
        parts = [(title, part) for title, text in texts for part in _parts(text)]
        seeded(seed).shuffle(parts)
        return cls(material, parts, rarities(text for _, text in parts[:TEXTS_FOR_RARITIES]))


def _parts(text: str) -> Iterator[str]:
    """Long texts (laws) in parts, so that no single one outweighs the rest."""
    for start in range(0, len(text), CHARS_OF_A_TEXT):
        yield text[start : start + CHARS_OF_A_TEXT]


def prepare(data: Path, out: Path, recipe: Recipe, log: Log) -> dict[str, ShardFacts]:
    """Write tokenizer, shards and manifest into ``out``; the same data and recipe give the same
    bytes."""
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    material = read_material(data)
    corpus = Corpus.of(material, recipe.seed)
    log(f"{time.monotonic() - began:.0f} s: {len(corpus.texts)} texts, "
        f"{material.num_leaked} dropped as leaks")  # fmt: skip
    train_tokenizer([text for _, text in corpus.texts], out / TOKENIZER_FILE, recipe.tokenizer)
    tokenizer = ReaderTokenizer(out)
    log(f"{time.monotonic() - began:.0f} s: tokenizer of {tokenizer.plain.num_ids} ids")
    facts = {}
    for name, encoded in _encoded(corpus, tokenizer, recipe).items():
        shard, facts[name] = pack(encoded, recipe.schedule.row_tokens)
        write_shard(out, name, shard)
        log(f"{time.monotonic() - began:.0f} s: {name}: {facts[name]}")
    seconds = round(time.monotonic() - began)
    rest = {"recipe": recipe.name, "seed": recipe.seed, "num_leaked": material.num_leaked}
    counts = {name: len(rows) for name, rows in material.questions.items()}
    counts |= {name: len(texts) for name, texts in material.texts.items()}
    sizes = {"row_tokens": recipe.schedule.row_tokens, "num_ids": tokenizer.plain.num_ids}
    write_manifest(out, facts, {**rest, **sizes, "seconds": seconds, "rows_by_file": counts})
    return facts


def _encoded(
    corpus: Corpus, tokenizer: ReaderTokenizer, recipe: Recipe
) -> dict[str, Iterator[Encoded]]:
    rng = seeded(recipe.seed)
    synthetic = itertools.islice(_synthetic(corpus, rng), recipe.num_synthetic)
    rows = [row for rows in corpus.material.questions.values() for row in rows]
    rng.shuffle(rows)
    questions = question_examples(rows, corpus.idf, recipe.question_rounds, rng)
    return {
        "text": _texts(corpus, tokenizer, recipe),
        "synthetic": (encode_example(example, tokenizer) for example in synthetic),
        "questions": (encode_example(example, tokenizer) for example in questions),
    }


def _synthetic(corpus: Corpus, rng: random.Random) -> Iterator[Example]:
    """Clozes of all texts, again and again with other gaps, until enough are taken."""
    for _ in range(100):
        yield from cloze_examples(corpus.texts, corpus.idf, CLOZES_PER_TEXT, rng)


def _texts(corpus: Corpus, tokenizer: ReaderTokenizer, recipe: Recipe) -> Iterator[Encoded]:
    """Plain text in stretches of one row, up to the number of tokens that is asked for."""
    size = recipe.schedule.row_tokens
    num_tokens = 0
    for _, text in corpus.texts:
        encoded = encode_text(text, tokenizer)
        for start in range(0, len(encoded.ids), size):
            if num_tokens >= recipe.num_text_tokens:
                return
            place = slice(start, start + size)
            parts = encoded.parts[place].copy()
            parts[-1] = Part.UNSCORED  # what follows stands in another row
            yield Encoded(encoded.ids[place], parts, encoded.labels[place])
            num_tokens += len(encoded.ids[place])
