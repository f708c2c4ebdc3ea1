"""What people said that facts mean is hidden wherever it stands, however it is written there."""

import pytest

from kb_service.domain.masking import Masking, PersonalKind, PersonRole
from kb_service.language.personal.masks import masked
from kb_service.services.said import corrected_of
from kb_service.storage.maskings import Said

ALL = Masking(frozenset(PersonalKind), frozenset(PersonRole))


def hidden(text: str, field: str, typed: str, masking: Masking = ALL) -> str:
    said = [Said(field, typed, frozenset())]
    return masked(text, corrected_of(said, masking).spans(text))


@pytest.mark.parametrize(
    ("field", "typed", "text", "expected"),
    [
        ("person", "欧阳修竹", "欧阳修竹：3", "欧***：3"),
        ("person", "Zebulon", "zebulon: 3", "z******: 3"),
        ("person", "Zoë", "ZOË, zoë", "Z**, z**"),
        ("person", "Mary Ann Quill", "mary ann quill", "m*** a** q****"),
        ("phone", "876-5439", "8765439 calls", "8****** calls"),
        ("vehicle", "AB-123-CD", "ab 123 cd", "ab *** **"),
        ("证件号码", "A1234567", "a1234567", "a12*****"),
    ],
)
def test_it_is_found_as_groups_and_words_write_it(
    field: str, typed: str, text: str, expected: str
) -> None:
    assert hidden(text, field, typed) == expected


@pytest.mark.parametrize(
    ("field", "typed"), [("kind", "fire"), ("injured", "12345"), ("vehicle", "truck")]
)
def test_what_is_not_personal_stays(field: str, typed: str) -> None:
    assert hidden(typed, field, typed) == typed


def test_only_what_the_base_masks_is_hidden() -> None:
    phones = Masking(frozenset({PersonalKind.PHONE}), frozenset())
    assert hidden("Zebulon", "person", "Zebulon", phones) == "Zebulon"
    assert hidden("AB-123-CD", "vehicle", "AB-123-CD", phones) == "AB-123-CD"
