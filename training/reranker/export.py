"""Writes a trained reranker as a CrossEncoder folder with its papers and checksums.

Knows the files of that layout and what its card has to say. Does not know training.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from training.corpus import SOURCES
from training.model_folder import licence_text, write_checksums
from training.reranker.tokens import released

if TYPE_CHECKING:
    from transformers import BertForSequenceClassification


@dataclass(frozen=True, slots=True)
class Card:
    """What the papers say beside their fixed text; `articles`: titles that need a credit.

    `words_from`: the name of the reranker whose words it began with.
    """

    title: str
    words_from: str
    facts: Sequence[str]
    articles: Sequence[str] = ()


def write_reranker(
    folder: Path, model: BertForSequenceClassification, tokenizer: Tokenizer, card: Card
) -> None:
    """Write weights as float16, configuration, tokenizer, card, licence notice and checksums."""
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)  # type: ignore[no-untyped-call] # transformers leaves it so
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    # The file is float16 to be small; in memory a CPU wants float32.
    config |= {"dtype": "float32", "id2label": {"0": "relevance"}, "label2id": {"relevance": 0}}
    # Scores are logits: the sum with the lexical score needs them as they were trained.
    config["sentence_transformers"] = {"activation_fn": "torch.nn.modules.linear.Identity"}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    released(tokenizer).save_pretrained(folder)
    (folder / "MODEL_CARD.md").write_text(card_text(card), encoding="utf-8")
    notice = licence_text(SOURCES, card.articles)
    (folder / "LICENSE").write_text(notice, encoding="utf-8")
    write_checksums(folder)


def card_text(card: Card) -> str:
    """The model card in Markdown."""
    facts = "\n".join(f"- {fact}" for fact in card.facts)
    sources = "\n".join(f"| {s.path} | {s.licence} | {s.attribution} |" for s in SOURCES)
    return f"""# {card.title}

A small cross-encoder for Chinese and English in the BERT layout: it reads a question and a passage
together and gives one score, the higher the better the passage answers. For the first candidates
of a lexical search; the score alone is not meant to search with.

{facts}

Made by `python -m training.reranker` from the repository, from nothing but the data below. It
began with the word vectors of {card.words_from}; some attention heads began wired to match equal
words of question and passage and to look at neighbours. The first reranker's vectors were 128
principal components of those of a static embedding model, which stands with its recipe in commit
99196ad of the repository.

Results: docs/evaluation.md and docs/models/reranker.md in the repository.

## Data

| file | licence | attribution |
| --- | --- | --- |
{sources}

Questions of CMRC 2018, DRCD in simplified characters, SQuAD and COVID-QA taught the reranker; all
files taught the first word vectors. Text that shares a run of 74 letters, or a question, with a dev
or demo set was left out. Nothing with a non-commercial licence was used: of COVID-QA only articles
whose text states cc-by or cc0.
The weights are under CC BY-SA 4.0, see LICENSE.

## Limits

- It read short passages (about 200 Chinese characters or 120 English words) and questions to look
  facts up. Pairs beyond 256 tokens are cut.
- Its negatives came from lexical search within encyclopaedia articles: it is no judge of passages
  that share no word with the question, nor across languages.
"""
