"""The built-in reader: answers by quoting sentences of the passages. Implements Generator.

Every sentence it writes is a sentence, field, row or list item of a passage word for word (line
ends aside), marked with the passage's number. What is quoted was read and chosen before.
"""

from collections.abc import Generator, Sequence

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import Usage
from kb_service.domain.questions import QuestionKind
from kb_service.generation.quoting import Quotation, means_list, quote
from kb_service.language.kinds import kind_of
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.messages import message
from kb_service.language.text import is_chinese

NAME = "extractive-reader"
_END_MARKS = "!?;.\"')" + "".join(
    shipped_lexicon().characters("sentences", key) for key in ("ends", "closing")
)


class ExtractiveReader:
    """Quotes what the readings of a request point at."""

    @property
    def info(self) -> GeneratorInfo:
        """Say what it is and how to get another one."""
        return GeneratorInfo(
            kind="extractive",
            name=NAME,
            notice_en=message("quoted", "en"),
            notice_zh=message("quoted", "zh"),
        )

    @property
    def description(self) -> str:
        """How it answers, for the operator."""
        return "quotes what the reading model points at"

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield one quotation after the other; nothing when nothing was read.

        Sampling options change nothing: there is nothing to sample.
        """
        asked = request.question
        is_list = kind_of(asked) is QuestionKind.LIST
        quotations = [
            quote(reading, whole_lists=is_list or means_list(reading, asked))
            for reading in request.readings
        ]
        pieces = written(quotations)
        yield from pieces
        words = quotations[0].words if quotations else ""
        return Generation(text="".join(pieces), usage=Usage(), answer_words=words)


def written(quotations: Sequence[Quotation]) -> list[str]:
    """Return the quotations as text pieces, each sentence with the mark of its passage."""
    pieces: list[str] = []
    for quotation in quotations:
        for sentence in quotation.sentences:
            pieces.append(_gap(pieces, sentence) + _marked(sentence, quotation.passage.number))
    return pieces


def _gap(pieces: Sequence[str], sentence: str) -> str:
    """What stands before a sentence: a line end where a space would join it to the one before."""
    if not pieces:
        return ""
    is_ended = pieces[-1].rstrip().endswith(tuple(_END_MARKS))
    return "\n" if is_chinese(sentence) or not is_ended else " "


def _marked(sentence: str, number: int) -> str:
    """Put the mark in front of the end mark, where it still belongs to its sentence."""
    bare = sentence.rstrip(_END_MARKS)
    return f"{bare}[{number}]{sentence[len(bare) :]}"
