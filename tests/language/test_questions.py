"""Questions: their content terms, their coverage by a text."""

import pytest

from kb_service.language.questions import (
    content_terms,
    coverage,
    text_terms,
)
from kb_service.language.text import normalise


def test_question_words_are_no_content() -> None:
    assert content_terms(normalise("直接原因是什么？"))[:3] == ("直", "直接", "接")
    assert content_terms(normalise("What type of aircraft was involved?")) == ("aircraft",)
    assert content_terms(normalise("那是什么时候？")) == ()


def test_coverage_meets_other_forms_of_a_word() -> None:
    terms = content_terms(normalise("How badly was the aircraft damaged?"))
    assert coverage(terms, text_terms("Aircraft Damage: Substantial"), {}) == 1.0
    assert coverage(("stopped",), text_terms("it stops"), {}) == 1.0
    assert coverage((), text_terms("anything"), {}) == 0.0


def test_a_term_without_a_rarity_counts_as_the_rarest() -> None:
    idf = {"aircraft": 1.0, "colour": 3.0}
    assert coverage(("aircraft", "painted"), text_terms("aircraft"), idf) == pytest.approx(0.25)
