"""The built-in reader: answers by quoting sentences of the passages. Implements Generator.

Deterministic; no neural network. Every sentence it writes is a sentence, field or list item of a
passage word for word (line ends aside), marked with the passage's number. Abstains by writing
nothing.
"""

from collections.abc import Generator, Sequence

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import Usage
from kb_service.generation.reading import Quotation, read
from kb_service.generation.span_model import WEIGHTS, Weights, shipped_weights
from kb_service.language.messages import message
from kb_service.language.text import is_chinese, sentence_spans

NAME = "extractive-reader"
_END_MARKS = "。！？；!?;.…”’\"')）"


class ExtractiveReader:
    """Quotes the units of the passages that answer a question."""

    def __init__(self, weights: Weights | None = None) -> None:
        """Read with the given weights, by default those of the package; empty: by rules alone.

        Raises ConfigurationError `model_corrupt` when the file is not the one that was shipped.
        """
        self._weights = shipped_weights() if weights is None else weights

    @property
    def info(self) -> GeneratorInfo:
        """Say what it is, what it lacks and how to get another one."""
        return GeneratorInfo(
            kind="extractive",
            name=NAME if self._weights else f"{NAME} (rules alone)",
            notice_en=self._notice("en"),
            notice_zh=self._notice("zh"),
        )

    def _notice(self, language: str) -> str:
        lacking = "" if self._weights else message("without_weights", language, file=WEIGHTS.name)
        return message("quoted", language) + lacking

    @property
    def description(self) -> str:
        """How it answers, for the operator."""
        if not self._weights:
            return "rules choose sentences and words"
        return "rules choose the sentence, the span model its words"

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield one quotation after the other; nothing when no passage answers the question.

        Sampling options change nothing: there is nothing to sample.
        """
        quotations = read(request.question, request.passages, request.idf, self._weights)
        pieces = written(quotations)
        yield from pieces
        words = quotations[0].words if quotations else ""
        return Generation(text="".join(pieces), usage=Usage(), answer_words=words)


def written(quotations: Sequence[Quotation]) -> list[str]:
    """Return the quotations as text pieces, each sentence with the mark of its passage."""
    pieces: list[str] = []
    for quotation in quotations:
        gap = "" if not pieces else ("\n" if is_chinese(quotation.text) else " ")
        pieces.append(gap + _marked(quotation))
    return pieces


def _marked(quotation: Quotation) -> str:
    """Put the mark in front of each end mark, where it still belongs to its sentence."""
    text, mark = quotation.text, f"[{quotation.passage.number}]"
    marked, end = "", 0
    for span in sentence_spans(text):
        words = span.of(text)
        bare = words.rstrip(_END_MARKS)
        marked += text[end : span.start] + bare + mark + words[len(bare) :]
        end = span.end
    return marked
