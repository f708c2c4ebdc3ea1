"""What the two sides of a comparison are called in the language of who asks."""

from datetime import datetime

import pytest

from kb_service.domain.queries import FieldFilter, Filters
from kb_service.language.tables import side_in_words

MARCH = Filters(time_from=datetime(2026, 3, 1), time_to=datetime(2026, 4, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("side", "language", "words"),
    [
        (MARCH, "zh", "2026年3月"),
        (MARCH, "en", "March 2026"),
        (Filters(kind=("fire",)), "zh", "火灾"),
        (Filters(fields=(FieldFilter("kind", text="fire"),)), "zh", "火灾"),
        (Filters(fields=(FieldFilter("trade", text="plumbing"),)), "en", "plumbing"),
        (Filters(document_ids=("doc_1",)), "en", "doc_1"),
    ],
)
def test_a_side_is_called_by_what_it_is_restricted_to(
    side: Filters, language: str, words: str
) -> None:
    assert side_in_words(side, language) == words
