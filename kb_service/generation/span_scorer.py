"""The reader's network over an encoder: start and end of the words that answer, and whether any do.

Knows the layout of an input (`query: question`, title, text) and the two heads. Knows no passage.

T tokens, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb_service.domain.errors import ConfigurationError
from kb_service.encoder.folder import CONFIG_FILE, corrupt, open_encoder, read_config
from kb_service.generation.passage_reader import Confidence, Scores

if TYPE_CHECKING:
    from kb_service.encoder.arithmetic import FloatArray
    from kb_service.encoder.folder import Encoder
    from kb_service.encoder.kernel import Kernel

MAX_TOKENS = 224
MAX_QUESTION_TOKENS, MAX_TITLE_TOKENS = 56, 40
START, END = 0, 2
PROMPT = "query: "
CONFIDENCE = "confidence"
"""The entry of config.json that the readings' numbers are weighed by."""

HEADS = ("span.weight", "span.bias", "answerable.weight", "answerable.bias")


class EncoderScorer:
    """Scores windows as trained: `<s> query: … </s></s> title, line end, text </s>`."""

    def __init__(self, encoder: Encoder, name: str, confidence: Confidence) -> None:
        """Raises ConfigurationError `model_corrupt` when the folder lacks a head."""
        lacking = [head for head in HEADS if head not in encoder.heads]
        if lacking:
            raise ConfigurationError(
                f"the reading model {name} lacks head.{lacking[0]}", code="model_corrupt"
            )
        self._encoder, self.name, self.confidence = encoder, name, confidence
        self._max_tokens = min(MAX_TOKENS, encoder.bert.max_tokens)

    def length(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return len(self._ids(text))

    def room(self, question: str, title: str) -> int:
        """Return how many tokens of text fit beside a question and a title."""
        return self._max_tokens - 1 - len(self._head(question)) - len(self._title(title))

    def score(self, question: str, texts: Sequence[tuple[str, str]]) -> list[Scores]:
        """Return the scores of each (title, text)."""
        head = self._head(question)
        sequences, offsets = [], []
        for title, text in texts:
            before = [*head, *self._title(title)]
            read = self._encoder.tokenizer.encode(text, add_special_tokens=False)
            room = self._max_tokens - 1 - len(before)
            sequences.append([*before, *read.ids[:room], END])
            offsets.append([*[None] * len(before), *read.offsets[:room], None])
        return [
            self._scores(hidden, of_text)
            for hidden, of_text in zip(self._encoder.bert.hidden(sequences), offsets, strict=True)
        ]

    def _scores(self, hidden: FloatArray, offsets: list[tuple[int, int] | None]) -> Scores:
        heads = self._encoder.heads
        span = hidden @ heads["span.weight"].T + heads["span.bias"]  # (T, 2)
        answerable = hidden[0] @ heads["answerable.weight"][0] + heads["answerable.bias"][0]
        return Scores(span, float(answerable), offsets)

    def _head(self, question: str) -> list[int]:
        """A long question ends with what it asks: what is too much is cut off in front."""
        ids = self._ids(f"{PROMPT}{question}")
        if len(ids) > MAX_QUESTION_TOKENS:
            prompt = self._ids(PROMPT.strip())
            ids = [*prompt, *ids[len(prompt) - MAX_QUESTION_TOKENS :]]
        return [START, *ids, END, END]

    def _title(self, title: str) -> list[int]:
        return self._ids(f"{title}\n")[:MAX_TITLE_TOKENS] if title else []

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._encoder.tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def load_scorer(folder: Path, num_threads: int, kernel: Kernel | None = None) -> EncoderScorer:
    """Open the folder of a reading model. Raises ConfigurationError `model_…`."""
    encoder = open_encoder(folder, num_threads=num_threads, kernel=kernel)
    return EncoderScorer(encoder, folder.name, read_confidence(folder))


def read_confidence(folder: Path) -> Confidence:
    """What the configuration of a reading model says of its numbers' worth.

    Raises ConfigurationError `model_corrupt` where it says nothing, or no numbers.
    """
    told: Any = read_config(folder).get(CONFIDENCE)
    try:
        return Confidence(**{name: float(told[name]) for name in ("margin", "answerable", "bias")})
    except (TypeError, KeyError, ValueError) as error:
        path = folder / CONFIG_FILE
        wanted = f"{CONFIDENCE} with margin, answerable and bias"
        raise corrupt(f"{path} does not give {wanted}: {error!r}", path) from error
