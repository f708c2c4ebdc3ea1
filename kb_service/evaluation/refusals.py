"""Refusing what the documents do not answer, and only that: F1 of both classes, over-refusal.

Pure functions on weighted counts. Knows no text: what counts as refused is the answer's status.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RefusalCounts:
    """How many questions of each kind met which fate, one count per draw of questions: (draws,)."""

    refused_unanswerable: FloatArray
    answered_unanswerable: FloatArray
    refused_answerable: FloatArray
    answered_answerable: FloatArray

    @classmethod
    def of(
        cls, is_answerable: BoolArray, is_refused: BoolArray, weights: FloatArray
    ) -> "RefusalCounts":
        """Count questions; both flags are (questions,), the weights (draws, questions)."""
        return cls(
            weights @ (is_refused & ~is_answerable),
            weights @ (~is_refused & ~is_answerable),
            weights @ (is_refused & is_answerable),
            weights @ (~is_refused & is_answerable),
        )

    def macro_f1(self) -> FloatArray:
        """Return the mean of the F1 of refusing and the F1 of answering (Trust-Align, F1_GR).

        Refusing is right on unanswerable questions, answering on answerable ones; NaN where a
        kind of question is missing.
        """
        wrong = self.refused_answerable + self.answered_unanswerable
        refusing = _ratio(2 * self.refused_unanswerable, 2 * self.refused_unanswerable + wrong)
        answering = _ratio(2 * self.answered_answerable, 2 * self.answered_answerable + wrong)
        has_both = ~np.isnan(self.over_refusal() + self.right_refusal())
        return np.where(has_both, (np.nan_to_num(refusing) + np.nan_to_num(answering)) / 2, np.nan)

    def over_refusal(self) -> FloatArray:
        """Return the share of answerable questions that were refused; NaN without any."""
        return _ratio(self.refused_answerable, self.refused_answerable + self.answered_answerable)

    def right_refusal(self) -> FloatArray:
        """Return the share of unanswerable questions that were refused; NaN without any."""
        return _ratio(
            self.refused_unanswerable, self.refused_unanswerable + self.answered_unanswerable
        )


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    ratio = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
