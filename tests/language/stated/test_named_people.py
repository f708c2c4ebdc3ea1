"""People who are named one by one are counted over the whole record, each of them once."""

import pytest

from kb_service.domain.facts import FactField
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked

ANN = "Ann Cole, 34, was injured."
BOB = "Bob Lee, 40, was injured."
FALL = "2024年3月14日塔吊倒塌致李强死亡。"
LATER = "随后坍塌导致王伟死亡。"


def numbers(text: str, field: str) -> list[float | None]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return [fact.number for fact in found if fact.field == field]


@pytest.mark.parametrize(
    ("text", "injured"),
    [
        (ANN, [1.0]),
        (f"{ANN} {BOB}", [2.0]),
        (f"{ANN} The line stood still. {ANN}", [1.0]),
        (f"{ANN} {BOB} Cy Dale escaped unhurt.", [2.0]),
        (f"{ANN} No one else was hurt.", [1.0]),
        (f"{ANN} Three people were injured.", [3.0]),
        (f"{ANN} This was wrong: no one was injured.", [0.0]),
        (f"Injured: 0\nDate: 2024-03-14\n\n{ANN}", [0.0]),
        ("The driver escaped unhurt.", [0.0]),
    ],
)
def test_the_injured_who_are_named_are_counted_together(text: str, injured: list[float]) -> None:
    assert numbers(text, FactField.INJURED) == injured


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        (FALL, [1.0]),
        (FALL + LATER, [2.0]),
        (FALL + LATER + "事故共造成3人死亡。", [3.0]),
        ("Ann Cole, 34, died. Bob Lee, 40, was killed.", [2.0]),
    ],
)
def test_the_dead_who_are_named_are_counted_together(text: str, dead: list[float]) -> None:
    assert numbers(text, FactField.DEAD) == dead


def test_each_record_counts_its_own() -> None:
    text = f"Log, 14 March 2024\n\n08:10 Fire in the hall. {ANN}\n09:20 Leak in the yard. {BOB}\n"
    assert numbers(text, FactField.INJURED) == [1.0, 1.0]


def test_one_of_a_list_of_names_is_not_all_of_it() -> None:
    assert numbers("事故造成张伟、李强受伤。", FactField.INJURED) == []
    assert numbers("事故造成张伟死亡、李强受伤。", FactField.INJURED) == [1.0]
