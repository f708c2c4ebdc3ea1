"""What a training run reads: encoded pairs, the bag to start from, and questions to look at it by.

Knows the files of a prepared folder and which passages share words with a question. Does not know
the network.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from kb_service.domain.ports import IndexedChunk
from retrievers.lexical import LexicalIndex
from retrievers.terms import question_weights
from training.contrastive import EncodedPair, FloatArray, IntArray, train_table
from training.corpus import Row
from training.encoder.recipe import LEFT_OUT, EncoderRecipe, kind_of
from training.fold import HELD_PERCENT, Fold, held_fold
from training.pairs import WINDOW, Pair, answer_window
from training.recipe import mixture
from training.seeding import seeded
from training.static_embedding import encode_pairs, piece_counts
from training.vocabulary import shared_components

PAIRS_FILE, MANIFEST_FILE, TOKENIZER_FILE = "pairs.npz", "prepared.json", "tokenizer.json"
PROBE_QUESTIONS = 300
COUNTED_PAIRS = 3000
SEARCHED = 40
NEAR_KINDS = frozenset({"question", "advice"})
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Probe:
    """Held-out questions of one set, their passages, and which passage is right for each."""

    name: str
    questions: list[IntArray]
    passages: list[IntArray]
    right: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared folder in memory; `sources[n]` names the source of pairs with the number n."""

    pairs: list[EncodedPair]
    sources: list[str]
    table: FloatArray
    probes: list[Probe]


def prepare(data: Path, tokenizer: Path, out: Path, recipe: EncoderRecipe, log: Log) -> None:
    """Make pairs without the held-out fold, learn the bag on them, and write the folder `out`.

    `tokenizer`: the tokenizer.json whose pieces are used. Raises FileNotFoundError without data.
    """
    fold = held_fold(data)
    mixed = mixture(data, recipe.seed, also_held=fold.leaks)
    log(f"{len(mixed.pairs)} pairs, {mixed.num_leaked} left out as held or leaked")
    pieces = Tokenizer.from_file(str(tokenizer))
    pieces.no_padding()
    chosen = [pair for pair in mixed.pairs if pair.source not in LEFT_OUT]
    near = near_groups(chosen, recipe.num_near)
    encoded = encode_pairs(chosen, pieces, near)
    log(f"{len(encoded)} pairs encoded, {len(near)} questions with passages like them")
    sources = list(dict.fromkeys(pair.source for pair in chosen))
    table = bag_of(encode_pairs(mixed.pairs, pieces), pieces, recipe, log)
    out.mkdir(parents=True, exist_ok=True)
    _write_pairs(out / PAIRS_FILE, encoded, table, probes_of(fold, pieces, recipe.seed))
    shutil.copyfile(tokenizer, out / TOKENIZER_FILE)
    facts = {"sources": sources, "pairs": mixed.counts(), "left_out": mixed.num_leaked}
    text = json.dumps({**facts, "seed": recipe.seed}, indent=1, ensure_ascii=False)
    (out / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")


def bag_of(
    encoded: Sequence[EncodedPair], pieces: Tokenizer, recipe: EncoderRecipe, log: Log
) -> FloatArray:
    """(V, D) the table of a static model of the pairs, made in the way of the shipped one."""
    size = pieces.get_vocab_size()
    counts = piece_counts(encoded, size, COUNTED_PAIRS, recipe.seed)
    names = sorted(vocabulary := pieces.get_vocab(), key=vocabulary.__getitem__)
    _, components = shared_components(names)

    def report(step: int, loss: float, _: FloatArray) -> None:
        log(f"bag, step {step} loss {loss:.3f}")

    return train_table(encoded, components, counts, recipe.bag, report)


def near_groups(pairs: Sequence[Pair], num_near: int) -> dict[Pair, list[str]]:
    """For each pair that is a question: groups of the passages that share most words with it.

    Its own group is not among them, nor is any twice.
    """
    found: dict[Pair, list[str]] = {}
    names = dict.fromkeys(pair.source for pair in pairs if kind_of(pair.source) in NEAR_KINDS)
    for source in names:
        members = [pair for pair in pairs if pair.source == source]
        passages = {pair.passage: pair.group for pair in members}
        groups = list(passages.values())
        with tempfile.TemporaryDirectory() as folder:
            index = LexicalIndex(Path(folder))
            chunks = (
                IndexedChunk(number, number, "", "", text, None)
                for number, text in enumerate(passages)
            )
            index.apply((), chunks)
            for pair in members:
                hits = index.search(question_weights(pair.query), SEARCHED)
                others = dict.fromkeys(groups[number] for number, _ in hits)
                others.pop(pair.group, None)
                found[pair] = list(others)[:num_near]
    return found


def probes_of(fold: Fold, pieces: Tokenizer, seed: int) -> list[Probe]:
    """At most PROBE_QUESTIONS answerable questions of each held set, against their windows."""
    return [_probe(name, fold.held[name], pieces, seed) for name in HELD_PERCENT]


def _probe(name: str, rows: Sequence[Row], pieces: Tokenizer, seed: int) -> Probe:
    asked = [row for row in rows if row["answers"] and row["answers"][0]["start"] >= 0]
    asked = seeded(seed).sample(asked, min(PROBE_QUESTIONS, len(asked)))
    passages: dict[str, int] = {}
    right = [
        passages.setdefault(
            answer_window(row["context"], row["answers"][0]["start"], WINDOW[row["lang"]]),
            len(passages),
        )
        for row in asked
    ]
    questions = [row["question"] for row in asked]
    return Probe(
        name, _ids(pieces, questions), _ids(pieces, list(passages)), np.array(right, dtype=np.int32)
    )


def _ids(pieces: Tokenizer, texts: list[str]) -> list[IntArray]:
    found = pieces.encode_batch(texts, add_special_tokens=False)
    return [np.array(encoding.ids, dtype=np.int32) for encoding in found]


def _packed(texts: Sequence[IntArray]) -> tuple[IntArray, npt.NDArray[np.int64]]:
    """All ids in one row, and where each text ends."""
    flat = np.concatenate([*texts, np.zeros(0, dtype=np.int32)]).astype(np.int32)
    return flat, np.cumsum([len(text) for text in texts], dtype=np.int64)


def _unpacked(flat: IntArray, ends: npt.NDArray[np.int64]) -> list[IntArray]:
    return list(np.split(flat, ends[:-1])) if len(ends) else []


def _write_pairs(
    path: Path, pairs: Sequence[EncodedPair], table: FloatArray, probes: Sequence[Probe]
) -> None:
    columns: dict[str, npt.NDArray[np.generic]] = {"table": table}
    texts = {"query": [p.query for p in pairs], "passage": [p.passage for p in pairs]}
    texts["near"] = [np.array(p.near, dtype=np.int32) for p in pairs]
    columns["source"] = np.array([p.source for p in pairs], dtype=np.int32)
    columns["group"] = np.array([p.group for p in pairs], dtype=np.int32)
    for probe in probes:
        texts[f"{probe.name}.questions"] = probe.questions
        texts[f"{probe.name}.passages"] = probe.passages
        columns[f"{probe.name}.right"] = probe.right
    for name, members in texts.items():
        columns[f"{name}.flat"], columns[f"{name}.ends"] = _packed(members)
    np.savez(path, allow_pickle=False, **columns)


def read_prepared(folder: Path) -> Prepared:
    """Read what `prepare` wrote. Raises FileNotFoundError where it did not."""
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    with np.load(folder / PAIRS_FILE, allow_pickle=False) as columns:

        def texts(name: str) -> list[IntArray]:
            return _unpacked(columns[f"{name}.flat"], columns[f"{name}.ends"])

        numbers = zip(columns["source"].tolist(), columns["group"].tolist(), strict=True)
        sides = zip(texts("query"), texts("passage"), texts("near"), numbers, strict=True)
        pairs = [
            EncodedPair(query, passage, source, group, tuple(near.tolist()))
            for query, passage, near, (source, group) in sides
        ]
        probes = [
            Probe(n, texts(f"{n}.questions"), texts(f"{n}.passages"), columns[f"{n}.right"])
            for n in HELD_PERCENT
        ]
        return Prepared(pairs, manifest["sources"], columns["table"], probes)
