"""What a question leaves out is told from what it asks for."""

import pytest

from kb_service.domain.spans import TextSpan
from kb_service.language.exclusions import exclusions_in


def left_out(text: str, *names: str) -> list[str]:
    spans = [TextSpan(text.index(name), text.index(name) + len(name)) for name in names]
    return [span.of(text) for span in exclusions_in(text, spans).named]


@pytest.mark.parametrize(
    ("text", "names", "out"),
    [
        ("除了火灾还有几起", ("火灾",), ["火灾"]),
        ("除火灾和盗窃以外，触电有几起", ("火灾", "盗窃", "触电"), ["火灾", "盗窃"]),
        ("火灾以外的有哪些", ("火灾",), ["火灾"]),
        ("不是火灾的有几起", ("火灾",), ["火灾"]),
        ("是不是火灾", ("火灾",), []),
        ("除非火灾", ("火灾",), []),
        ("How many weren't fires?", ("fires",), ["fires"]),
        ("all but not the fires or thefts", ("fires", "thefts"), ["fires", "thefts"]),
        ("fires other than at Mill Lane", ("fires", "Mill Lane"), ["Mill Lane"]),
        ("fires and thefts in May", ("fires", "thefts"), []),
        ("nothing about fires", ("fires",), []),
    ],
)
def test_words_before_and_behind_leave_names_out(
    text: str, names: tuple[str, ...], out: list[str]
) -> None:
    assert left_out(text, *names) == out
