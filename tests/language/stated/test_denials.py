"""What a sentence denies is not stated: who is not accounted for, what was not taken."""

import pytest

from kb_service.domain.facts import FactField
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def numbers(text: str, field: str) -> list[float | None]:
    return [fact.number for fact in facts_in(marked(text)) if fact.field == field]


@pytest.mark.parametrize(
    "text",
    [
        "Not all workers are accounted for.",
        "All workers are accounted for except two.",
        "All workers are accounted for, but two are being looked for.",
        "All but two workers are accounted for.",
        "All workers are not accounted for.",
        "The search goes on until everyone is accounted for.",
    ],
)
def test_not_all_accounted_for_is_no_zero(text: str) -> None:
    assert 0.0 not in numbers(text, FactField.MISSING)


@pytest.mark.parametrize(
    "text",
    [
        "All workers are accounted for.",
        "All three of them were accounted for, the fire service said.",
        "Everyone is accounted for. But two windows broke.",
    ],
)
def test_all_accounted_for_is_zero(text: str) -> None:
    assert numbers(text, FactField.MISSING) == [0.0]


@pytest.mark.parametrize(
    "text",
    [
        "Goods worth $2,400 were not damaged.",
        "The bags worth $900 were found undamaged, nothing was stolen.",
        "Of the $2,400 in the till none was stolen.",
        "$2,400 worth of goods were not damaged.",
        "Tools worth $300 weren't taken.",
    ],
)
def test_what_was_not_taken_is_no_loss(text: str) -> None:
    assert numbers(text, FactField.LOSS) == []


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("Goods worth $2,400 under the roof were damaged.", 2400.0),
        ("$2,400 in the till was stolen, none of it was found.", 2400.0),
        ("$500 worth of goods were ruined and nobody was hurt.", 500.0),
    ],
)
def test_what_was_taken_is_a_loss(text: str, loss: float) -> None:
    assert numbers(text, FactField.LOSS) == [loss]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("On 3 May 2024 there was smoke but no fire at Pier 4.", []),
        ("2024年5月3日云岭路检查，未发现泄漏。", []),
        ("On 3 May 2024 a fire broke out at Pier 4; no leak was found.", ["fire"]),
        ("2024年5月3日云岭路发生火灾，未造成泄漏。", ["fire"]),
    ],
)
def test_what_is_denied_did_not_happen(text: str, kind: list[str]) -> None:
    found = facts_in(marked(text))
    assert [fact.text for fact in found if fact.field == FactField.KIND] == kind
