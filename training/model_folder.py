"""Writes a trained table as a sentence-transformers folder with its papers and checksums.

Knows the files of that layout and what a model card has to say. Does not know training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from training.corpus import SOURCES, Source

CHECKSUMS_FILE = "SHA256SUMS.json"
TABLE_FOLDER = "0_StaticEmbedding"
_STATIC_TYPE = "sentence_transformers.models.StaticEmbedding"
_NORMALIZE_TYPE = "sentence_transformers.models.Normalize"


@dataclass(frozen=True, slots=True)
class Card:
    """What the papers say beside their fixed text: tables and lines of Markdown.

    ``articles``: titles of single articles under CC BY that the licence notice must credit.
    """

    title: str
    command: str
    facts: tuple[str, ...]
    pairs: str
    results: str
    articles: tuple[str, ...] = ()


def write_model(
    folder: Path, table: npt.NDArray[np.float32], tokenizer: Tokenizer, card: Card
) -> None:
    """Write the folder: table (V, D) as float32 safetensors, tokenizer, papers, checksums."""
    from safetensors.numpy import save_file

    module = folder / TABLE_FOLDER
    module.mkdir(parents=True, exist_ok=True)
    (folder / "1_Normalize").mkdir(exist_ok=True)
    save_file({"embedding.weight": np.ascontiguousarray(table)}, module / "model.safetensors")
    tokenizer.save(str(module / "tokenizer.json"), pretty=False)
    _write_json(
        folder / "modules.json",
        [
            {"idx": 0, "name": "0", "path": TABLE_FOLDER, "type": _STATIC_TYPE},
            {"idx": 1, "name": "1", "path": "1_Normalize", "type": _NORMALIZE_TYPE},
        ],
    )
    _write_json(
        folder / "config_sentence_transformers.json",
        {
            "model_type": "SentenceTransformer",
            "prompts": {"query": "", "document": ""},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    write_papers(folder, card)


def write_papers(folder: Path, card: Card) -> None:
    """(Re)write the card and the licence notice, then the checksums of all files."""
    (folder / "MODEL_CARD.md").write_text(card_text(card), encoding="utf-8")
    (folder / "LICENSE").write_text(licence_text(SOURCES, card.articles), encoding="utf-8")
    write_checksums(folder)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_checksums(folder: Path) -> None:
    """SHA-256 of every other file of the folder, by its path."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != CHECKSUMS_FILE)
    sums = {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }
    _write_json(folder / CHECKSUMS_FILE, sums)


def licence_text(sources: Sequence[Source], articles: Sequence[str] = ()) -> str:
    """The notice that must stay with the weights, with the single articles it credits."""
    lines = [
        "The weights in this folder are licensed under the Creative Commons",
        "Attribution-ShareAlike 4.0 International licence (CC BY-SA 4.0):",
        "creativecommons.org/licenses/by-sa/4.0/legalcode",
        "",
        "They were trained on the following data. Keep this notice with the weights.",
        "",
    ]
    for source in sources:
        lines += [f"- {source.attribution}", f"  Licence: {source.licence}"]
    if articles:
        lines += ["", "Articles quoted by COVID-QA under CC BY or CC0, by their authors:", ""]
        lines += [f"- {title}" for title in articles]
    return "\n".join(lines) + "\n"


def card_text(card: Card) -> str:
    """The model card in Markdown."""
    facts = "\n".join(f"- {fact}" for fact in card.facts)
    sources = "\n".join(f"| {s.path} | {s.licence} | {s.attribution} |" for s in SOURCES)
    return f"""# {card.title}

A static embedding model for Chinese and English in the sentence-transformers layout: a text is the
L2-normalised mean of the vectors of its pieces. Chinese is cut into characters and frequent words,
English into words and word parts; punctuation is ignored. An empty text has the zero vector.

{facts}

Made by `{card.command}`
from the repository, on CPU, from nothing but the data below.

## Results

Question to passage, this model alone (no lexical leg). The corpus of a set is every distinct
context in it; the questions are the answerable ones. Percent. No passage or question of these sets
was trained on: training text that shares a run of 74 letters with a held-out set was dropped.

{card.results}

Again: `python -m training.evaluate_embedding --model DIR --data DIR`.

## Data

| file | licence | attribution |
| --- | --- | --- |
{sources}

Pairs used:

{card.pairs}

Nothing with a non-commercial licence was used: of COVID-QA only articles whose text states cc-by or
cc0. The weights are under CC BY-SA 4.0, see LICENSE.

## Limits

- Word order is invisible to it: "A hit B" and "B hit A" are one text.
- It knows the words of encyclopaedia articles, Chinese law, computer security and the Python
  documentation. Rare words elsewhere are seen as characters and word parts.
- English text is a small part of the data. Chinese-English matches were learnt from the Python
  documentation and are weak outside it.
- Long passages blur: embed passages of 100 to 500 characters.
- It stands beside a lexical index, it does not replace one.
"""
