"""The plain way through a model: whole sequences in one pass, no engine and nothing reused.

What every fast path must equal, and how golden values and classifiers are computed.

T tokens of one sequence, C channels, V vocabulary, L labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from llm.models.batch import TokenSlice, lay_out
from llm.models.model import ChatGLM


@torch.inference_mode()
def hidden_states(model: ChatGLM, sequences: Sequence[Sequence[int]]) -> list[Tensor]:
    """Normalised states (T, C) of each sequence, run side by side in one ragged batch."""
    longest = max(len(ids) for ids in sequences)
    slices = [
        TokenSlice(ids, num_cached=0, pages=(page,), layout=model.layout(ids))
        for page, ids in enumerate(sequences)
    ]
    batch = lay_out(slices, longest, model.device)
    states = model.hidden(batch, model.new_cache(len(sequences), longest))
    return [states[part.start : part.stop] for part in batch.slices]


@torch.inference_mode()
def logits(model: ChatGLM, sequences: Sequence[Sequence[int]]) -> list[Tensor]:
    """Scores (T, V) of the token that follows each token of each sequence."""
    return [model.head(states) for states in hidden_states(model, sequences)]


@torch.inference_mode()
def classify(model: ChatGLM, sequences: Sequence[Sequence[int]]) -> Tensor:
    """Scores (B, L) of a sequence classification head, read at each sequence's last token."""
    last = torch.stack([states[-1] for states in hidden_states(model, sequences)])
    return model.classifier(last)


def greedy(model: ChatGLM, prompt: Sequence[int], num_tokens: int) -> list[int]:
    """Extend a prompt by argmax, computing everything anew for every token."""
    ids = list(prompt)
    for _ in range(num_tokens):
        ids.append(int(logits(model, [ids])[0][-1].argmax()))
    return ids[len(prompt) :]
