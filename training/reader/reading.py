"""Words that a trained folder copies: the sentence that answers, then words of it, greedily.

The constraint that only words of the sentence can follow is written here. Every reading is a span
of a sentence, so it is verbatim by construction. Scoring given words, and loading, are the
product's (pocket_model). Knows no documents and no retrieval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from kb_service.domain.spans import TextSpan
from kb_service.generation.pocket_model import PocketReader, Reading
from kb_service.generation.pocket_prompt import Prompt, answer_range, prompt_of
from llm.models.batch import Chunk, lay_out
from llm.models.model import ChatGLM

MAX_ANSWER_TOKENS = 40


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


class CopyingReader(PocketReader):
    """A reader that also writes. One thread at a time."""

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
