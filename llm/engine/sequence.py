"""One request under way: its tokens, how far they are computed, and what it waits for.

Knows its own counts; every step changes them through its methods. Does not know other
sequences, the model or threads.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from llm.constraints import Constraint
from llm.decoding import FinishReason, GeneratedToken, SamplingParams
from llm.engine.pages import page_key
from llm.engine.speculation import PromptLookup
from llm.errors import GenerationFailed
from llm.models.batch import PromptLayout, TokenSlice


@dataclass(eq=False, slots=True)
class SequenceState:
    """Prompt and output ids in one list; the first `num_cached` have their keys and values.

    A sequence decodes once all but its last id are cached; `num_reused` of its prompt were so
    before it came. `outbox` holds tokens, or the error that ended it, until its reader takes them.
    """

    ids: list[int]
    max_tokens: int
    params: SamplingParams
    stop_ids: frozenset[int]
    layout: PromptLayout
    tenant: str
    generator: torch.Generator
    constraint: Constraint | None = None
    lookup: PromptLookup | None = None
    num_prompt: int = field(init=False)
    num_cached: int = 0
    num_reused: int = 0
    pages: list[int] = field(default_factory=list)
    page_keys: list[bytes] = field(default_factory=list)
    outbox: deque[GeneratedToken | GenerationFailed] = field(default_factory=deque)
    closed: bool = False
    finished: bool = False

    def __post_init__(self) -> None:
        self.num_prompt = len(self.ids)

    @property
    def num_generated(self) -> int:
        return len(self.ids) - self.num_prompt

    @property
    def generated_ids(self) -> list[int]:
        return self.ids[self.num_prompt :]

    @property
    def num_missing(self) -> int:
        """Ids whose keys and values are not cached yet; at least one until the end."""
        return len(self.ids) - self.num_cached

    @property
    def decodes(self) -> bool:
        return self.num_missing == 1 and self.num_generated > 0

    @property
    def root_key(self) -> bytes:
        """What the keys of its pages start from: pages are shared within a tenant only.

        Where a prompt is seen from both sides, its every token shapes every page of it; a layout
        that follows from the prompt's end shapes pages at its beginning, too.
        """
        salt = f"{self.layout!r} {self.tenant}".encode("utf-8", "surrogatepass")
        both_sides = self.ids[: self.layout.num_bidirectional]
        return page_key(hashlib.sha256(salt).digest(), both_sides)

    def next_slice(self, num_new: int, draft: Sequence[int] = ()) -> TokenSlice:
        """Its next `num_new` ids that are not cached yet, and a draft behind them."""
        ids = self.ids[self.num_cached : self.num_cached + num_new]
        return TokenSlice([*ids, *draft], self.num_cached, self.pages, self.layout)

    def rewind(self) -> list[int]:
        """Forget what is computed, not what was said; the pages that held it."""
        pages, self.pages, self.num_cached = self.pages, [], 0
        return pages

    def extend_keys(self, num_tokens: int, page_tokens: int) -> None:
        """Know the keys of all pages that the first `num_tokens` ids fill."""
        while (len(self.page_keys) + 1) * page_tokens <= num_tokens:
            start = len(self.page_keys) * page_tokens
            parent = self.page_keys[-1] if self.page_keys else self.root_key
            self.page_keys.append(page_key(parent, self.ids[start : start + page_tokens]))

    def append(self, token: GeneratedToken) -> bool:
        """Take the next token and hand it out; whether the sequence goes on."""
        reason: FinishReason | None = None
        self.ids.append(token.id)
        if token.id in self.stop_ids:
            reason = "stop"
        elif self.num_generated == self.max_tokens:
            reason = "length"
        self.finished = reason is not None
        self.outbox.append(
            GeneratedToken(token.id, reason, token.logprob, token.top_logprobs) if reason else token
        )
        return not self.finished

    def fail(self, error: GenerationFailed) -> None:
        """End with an error, which its reader gets; not with the tensors its traceback holds."""
        self.finished = True
        self.outbox.append(error.with_traceback(None))
