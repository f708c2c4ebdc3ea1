"""What a trained folder says: words of one of the given sentences, and how sure it is.

Runs llm's loaded model; the copy constraint and the scores of candidate words are written here.
Every reading is a span of a sentence, so it is verbatim by construction. Knows no documents and
no retrieval.

N tokens of all branches and their prompt together, K branches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kb_service.domain.spans import TextSpan
from llm.checkpoints.checkpoint import load_model
from llm.models.batch import Chunk, lay_out
from llm.models.model import ChatGLM
from llm.models.rope import rotation
from training.reader.encoding import Prompt, answer_range, prompt_of
from training.reader.network import block_forward, layers_of
from training.reader.tokens import ReaderTokenizer

MAX_ANSWER_TOKENS = 40
LENGTH_EXPONENT = 0.5
"""A candidate's log-probability is divided by its number of tokens to this power."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Sentence ``number`` from 1 and the span of the answer in it; 0 and None when none answers.

    ``log_probability`` of the words, the end included, given the sentence's number;
    ``citation`` is the probability of that number.
    """

    number: int
    span: TextSpan | None
    log_probability: float
    citation: float
    num_tokens: int

    @property
    def confidence(self) -> float:
        """Log-probability, evened out over the length."""
        evened: float = self.log_probability / max(1, self.num_tokens) ** LENGTH_EXPONENT
        return evened


@dataclass(frozen=True, slots=True)
class Candidate:
    """Words that may be the answer: the piece indices [first, last) of a prompt's message."""

    first: int
    last: int


class Decoding:
    """One sequence in llm's cache: feed ids, then ``following`` has the log-probabilities (V,)."""

    def __init__(self, model: ChatGLM, max_tokens: int) -> None:
        self._model = model
        self._max_tokens = max_tokens
        self._cache = model.new_cache(1, max_tokens)
        self._num_cached = 0
        self.following = torch.empty(0)

    @torch.inference_mode()
    def feed(self, ids: Sequence[int]) -> None:
        """Run new ids behind the earlier ones."""
        chunk = Chunk(ids, self._num_cached, (0,), self._model.layout(ids))
        batch = lay_out([chunk], self._max_tokens, self._model.device)
        states = self._model.hidden(batch, self._cache)
        self._num_cached += len(ids)
        self.following = torch.log_softmax(self._model.head(states[-1]).float(), dim=-1)


class PocketReader:
    """A model folder as a reader of sentences. One thread at a time."""

    def __init__(self, model: ChatGLM, tokenizer: ReaderTokenizer) -> None:
        self._model = model.float()
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path) -> PocketReader:
        """Load the folder with llm's loader.

        Raises:
            CheckpointError: naming what was expected and what was found.
        """
        return cls(load_model(folder, device="cpu"), ReaderTokenizer(folder))

    def read(self, question: str, sentences: Sequence[str], forced: int = 0) -> Reading:
        """The likeliest sentence and, greedily, words of it; ``forced`` names the sentence.

        Without ``forced`` the reader may also say that no sentence answers.
        """
        prompt = prompt_of(question, sentences, self._tokenizer)
        marks = list(self._tokenizer.mark_ids[: len(sentences) + 1])
        decoding = Decoding(self._model, len(prompt.ids) + MAX_ANSWER_TOKENS + 1)
        decoding.feed(prompt.ids)
        number = forced or int(decoding.following[marks].argmax())
        citation = float(decoding.following[marks[number]].exp())
        if not number:
            return Reading(0, None, 0.0, citation, 0)
        decoding.feed([marks[number]])
        start, stop = self._sentence_pieces(prompt, sentences, number)
        chosen, log_probability = self._copied(prompt, decoding, start, stop)
        span = self._span(prompt, number, chosen, sentences)
        return Reading(number, span, log_probability, citation, chosen.last - chosen.first + 1)

    def score(
        self, question: str, sentences: Sequence[str], number: int, spans: Sequence[TextSpan]
    ) -> list[Reading]:
        """How likely each span of sentence ``number`` is, all in one pass; spans as given."""
        prompt = prompt_of(question, sentences, self._tokenizer)
        offset = prompt.offsets[number - 1]
        mark = self._tokenizer.mark_ids[number]
        candidates = [
            Candidate(*answer_range(prompt.pieces, offset + s.start, offset + s.end)) for s in spans
        ]
        texts = [prompt.pieces.ids[c.first : c.last] for c in candidates]
        scores = self._branches((*prompt.ids, mark), texts)
        readings = []
        for span, ids, rows in zip(spans, texts, scores, strict=True):
            targets = torch.tensor([*ids, self._tokenizer.eos_id])
            chances = torch.log_softmax(rows, dim=-1).gather(1, targets[:, None])
            readings.append(Reading(number, span, float(chances.sum()), 1.0, len(targets)))
        return readings

    def _sentence_pieces(
        self, prompt: Prompt, sentences: Sequence[str], number: int
    ) -> tuple[int, int]:
        offset = prompt.offsets[number - 1]
        return answer_range(prompt.pieces, offset, offset + len(sentences[number - 1]))

    def _copied(
        self, prompt: Prompt, decoding: Decoding, start: int, stop: int
    ) -> tuple[Candidate, float]:
        """Greedy words of the pieces [start, stop): each next token continues some place there."""
        ids, eos = prompt.pieces.ids, self._tokenizer.eos_id
        places = list(range(start, stop))
        total, said = 0.0, 0
        while said < MAX_ANSWER_TOKENS:
            options = {ids[place] for place in places if place < stop}
            options |= {eos} if said else set()
            row = decoding.following
            best = max(sorted(options), key=lambda token: float(row[token]))
            total += float(row[best])
            if best == eos:
                break
            said += 1
            places = [place + 1 for place in places if place < stop and ids[place] == best]
            if all(place >= stop for place in places):
                break
            decoding.feed([best])
        return Candidate(places[0] - said, places[0]), total

    def _span(
        self, prompt: Prompt, number: int, chosen: Candidate, sentences: Sequence[str]
    ) -> TextSpan:
        """The candidate's characters in its sentence, without blanks at the ends."""
        offset = prompt.offsets[number - 1]
        sentence = sentences[number - 1]
        start = max(0, prompt.pieces.starts[chosen.first] - offset)
        end = min(len(sentence), prompt.pieces.ends[chosen.last - 1] - offset)
        words = sentence[start:end]
        start += len(words) - len(words.lstrip())
        return TextSpan(start, max(start, start + len(words.strip())))

    @torch.inference_mode()
    def _branches(self, prompt: Sequence[int], branches: Sequence[Sequence[int]]) -> list[Tensor]:
        """Scores of what follows the prompt and each token of each branch: (K) of (1 + n, V).

        All branches share one pass: a token sees the prompt and the tokens of its own branch.
        """
        length = len(prompt)
        flat = [token for branch in branches for token in branch]
        ids = torch.tensor([*prompt, *flat])
        owner = torch.tensor([0] * length + [n for n, b in enumerate(branches, 1) for _ in b])
        places = [*range(length), *(length + i for branch in branches for i in range(len(branch)))]
        index = torch.arange(len(ids))
        seen = (index[:, None] >= index) & ((owner[:, None] == owner) | (owner == 0))
        model = self._model
        cos, sin = rotation(torch.tensor(places)[:, None], model.config)
        x = model.embedding(ids)[None]  # (1, N, C)
        for block in layers_of(model):
            x = block_forward(block, x, cos[None], sin[None], seen[None, None])
        states = model.final_norm(x)[0]
        rows, start = [], length
        for branch in branches:
            picked = torch.tensor([length - 1, *range(start, start + len(branch))])
            rows.append(model.head(states[picked]))
            start += len(branch)
        return rows
