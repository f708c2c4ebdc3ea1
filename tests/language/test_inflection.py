"""Inflected words share their base; different words do not."""

import pytest

from kb_service.language.inflection import base_form


@pytest.mark.parametrize(
    "words",
    [
        "operate operates operated operating",
        "stop stops stopped stopping",
        "carry carries carried carrying",
        "crash crashes crashed",
        "use uses used using",
        "break broke broken breaking breaks",
        "pilot pilots pilot's pilots'",
        "die dies died dying",
        "add added",
        "man men",
    ],
)
def test_inflections_share_one_base(words: str) -> None:
    assert len({base_form(word) for word in words.split()}) == 1


@pytest.mark.parametrize(
    "words",
    [
        "increase decrease",
        "injured inspected",
        "speed spee",
        "bus bu",
        "operator operation",
        "10 1",
    ],
)
def test_different_words_do_not(words: str) -> None:
    assert len({base_form(word) for word in words.split()}) == 2
