"""What is hidden of a page's picture: the boxes of hidden characters, or the page is refused."""

import pytest

from kb_service.domain.documents import Page, PageKind
from kb_service.domain.errors import RightMissing
from kb_service.domain.masking import Masking, PersonalKind
from kb_service.domain.spans import Box, TextSpan
from kb_service.services.pictures import hidden_boxes
from kb_service.services.veils import marks_of

TEXT = "Call 13812345678 now"
PHONES = marks_of(TEXT, Masking(frozenset({PersonalKind.PHONE})))


def page(boxes: tuple[Box, ...], start: int = 0) -> Page:
    span = TextSpan(start, start + len(boxes)) if boxes else TextSpan(0, len(TEXT))
    return Page(1, span, PageKind.TEXT, char_boxes=boxes)


def boxes_of(text: str) -> tuple[Box, ...]:
    return tuple(
        (10.0 * n, 0.0, 10.0 * n + (0 if c == " " else 9), 12.0) for n, c in enumerate(text)
    )


def test_the_boxes_are_those_of_the_number() -> None:
    assert hidden_boxes(page(boxes_of(TEXT)), PHONES) == ((50.0, 0.0, 159.0, 12.0),)


def test_a_number_that_goes_over_a_page_is_hidden_on_both() -> None:
    first, second = boxes_of(TEXT[:10]), boxes_of(TEXT[10:])
    assert hidden_boxes(page(first), PHONES) == ((50.0, 0.0, 99.0, 12.0),)
    assert hidden_boxes(page(second, 10), PHONES) == ((0.0, 0.0, 59.0, 12.0),)


def test_a_page_that_hides_nothing_has_no_boxes() -> None:
    assert hidden_boxes(page(boxes_of(TEXT[:4])), PHONES) == ()


@pytest.mark.parametrize("missing", [None, 9])
def test_a_page_whose_words_nothing_places_is_refused(missing: int | None) -> None:
    boxes = boxes_of(TEXT) if missing else ()
    with_gap = tuple((0.0, 0.0, 0.0, 0.0) if n == missing else box for n, box in enumerate(boxes))
    with pytest.raises(RightMissing) as refused:
        hidden_boxes(page(with_gap), PHONES)
    assert refused.value.code == "personal_data_masked"
