"""What a reader found: Reading. Values only; how passages are read is the reader's business."""

from dataclasses import dataclass

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan


@dataclass(frozen=True, slots=True)
class Reading:
    """Words of a passage that may answer a question.

    `span`: offsets in `passage.text`. `confidence`: 0..1, calibrated: of the readings of 0.8, about
    four in five are right.
    """

    passage: Passage
    span: TextSpan
    confidence: float

    @property
    def words(self) -> str:
        """The words themselves."""
        return self.span.of(self.passage.text)
