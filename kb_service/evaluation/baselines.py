"""The two readers that any reader must beat: a random sentence, and the best lexical one.

Both implement the Generator port and stand behind the same gate and citations as the real ones.
"""

import random
from collections.abc import Generator, Sequence

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import Usage
from kb_service.domain.queries import Passage
from kb_service.domain.texts import UnitKind
from kb_service.language.questions import content_terms, coverage, text_terms
from kb_service.language.units import reflow


class RandomSentence:
    """Quotes one sentence or field of the passages, drawn by seed and question."""

    info = GeneratorInfo(kind="baseline", name="random sentence")

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the sentence; the same question and passages give the same one."""
        units = _units(request.passages)
        dice = random.Random(f"{self._seed} {request.question.text}")  # noqa: S311  no secret
        return (yield from _quote([dice.choice(units)] if units else []))


class LexicalSentence:
    """Quotes the sentence or field that holds most of the question's words, weighed by rarity."""

    info = GeneratorInfo(kind="baseline", name="lexical sentence")

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the sentence; of equals the first."""
        terms = content_terms(request.question.normalised)
        units = _units(request.passages)
        covered = [coverage(terms, text_terms(text), {}) for text in units]
        best = units[covered.index(max(covered))] if units else None
        return (yield from _quote([best] if best else []))


def _units(passages: Sequence[Passage]) -> list[str]:
    """Return what may be quoted, as one line each."""
    return [
        reflow(unit.span.of(passage.text))
        for passage in passages
        for unit in passage.units
        if unit.kind is not UnitKind.HEADING
    ]


def _quote(pieces: list[str]) -> Generator[str, None, Generation]:
    yield from pieces
    return Generation(text="".join(pieces), usage=Usage())
