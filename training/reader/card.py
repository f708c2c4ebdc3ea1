"""The papers of a trained reader: its model card and the licence notice of its data.

Knows the wording; numbers come from the recipe, the prepared shards and the curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.reader.recipe import Recipe
from training.reader.sources import used_sources


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a training when its folder is written."""

    title: str
    recipe: Recipe
    manifest: dict[str, Any]
    curve: Sequence[dict[str, Any]]
    step: int


def _shape(facts: Facts) -> str:
    size, schedule = facts.recipe.size, facts.recipe.schedule
    last = facts.curve[-1] if facts.curve else {"tokens": 0, "seconds": 0}
    return (
        f"- {size.num_layers} layers, {size.hidden_size} channels, {size.num_heads} query heads of"
        f" {size.head_dim}, {size.num_kv_groups} key/value groups, feed-forward {size.ffn_size}\n"
        f"- {facts.manifest['num_ids']} ids: characters for Chinese, byte-pair parts for English\n"
        f"- recipe `{facts.recipe.name}`, seed {facts.recipe.seed}, {facts.step} of"
        f" {schedule.num_steps} steps of {schedule.tokens_per_step} tokens"
        f" ({last['tokens'] / 1e6:.1f} M, padding included), {last['seconds'] / 60:.0f} minutes\n"
    )


def _shards(facts: Facts) -> str:
    rows = [
        f"| {name} | {each['num_examples']} | {each['num_tokens']} |"
        for name, each in facts.manifest["shards"].items()
    ]
    return "\n".join(["| shard | examples | tokens |", "| --- | --- | --- |", *rows])


def card_text(facts: Facts) -> str:
    """The model card in Markdown."""
    sources = "\n".join(f"| {s.path} | {s.licence} | {s.attribution} |" for s in used_sources())
    return f"""# {facts.title}

A pocket reader: a small causal transformer with the block maths and the file layout of ChatGLM3.
Given a question and one to four sentences it writes the number of the sentence that answers and
copies the answering words out of it; `[0]` says that none does. It is no chat model and not
ChatGLM: it knows nothing but how to point.

{_shape(facts)}
Select it with `KB_LLM__MODEL=<this folder>`: sentences, citations and refusals are then those of
the extractive reader, and these weights rank which words of a sentence are lit
(`kb_service/generation/pocket.py`). `pocket_reader` in config.json says what the folder is.

Prompt: one user message, `question`, then `[1] sentence` … on lines of their own, then the question
again. Let it write only under the copy constraint of `training/reader/reading.py`: without it a
reply need not be words of the sentences.

Results, gate and verdict: docs/evaluation.md, "The pocket reader". Below the gate it is no default.

## Data

| file | licence | attribution |
| --- | --- | --- |
{sources}

{_shards(facts)}

{facts.manifest["num_leaked"]} rows or texts that share a run of 74 letters, or a question, with a
held-out set were dropped. Nothing with a non-commercial licence was used. The weights are under
CC BY-SA 4.0, see LICENSE.

## Limits

- Simplified Chinese and English; Chinese is the larger part.
- Copied words are verbatim, which does not make them right: see the exact-match figures.
- Its own `[0]` is no reliable refusal; refusing is the business of the evidence gate.
- Prompts beyond a few hundred tokens were never seen in training.
"""
