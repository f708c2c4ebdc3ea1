"""A paper that corrects its own figure: the new one holds, the old one is kept as replaced."""

import pytest

from kb_service.domain.facts import REPLACED, Fact
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def of_field(text: str, field: str) -> tuple[list[Fact], list[Fact]]:
    """What holds of a field, and what it replaced."""
    found = [fact for fact in facts_in(marked(text)) if fact.field == field]
    assert all(fact.value == fact.span.of(text) for fact in found)
    return [f for f in found if f.role != REPLACED], [f for f in found if f.role == REPLACED]


@pytest.mark.parametrize(
    "text",
    [
        "The fire was initially reported with 6 injured, later corrected to 5.",
        "The number of injured was revised from six to five.",
        "In all 5 people were injured, not 6 as first reported.",
        "Five people, instead of the six reported earlier, were injured.",
        "Injuries first put at 6 were later revised to 5.",
        "The earlier figure of 6 injured should read 5.",
        "We said 6 were injured (since corrected to 5).",
        "The initial report of 2 dead stands. Injured: originally 6 injured, amended to 5.",
        "受伤人数由6人更正为5人。",
        "初报6人受伤，后更正为5人。",
        "受伤人数应为5人，而非6人。",
        "受伤的不是6人，而是5人。",
        "此前通报的6人受伤有误，应为5人。",
        "原报六人受伤，经医院核实为五人。",
        "死亡1人，受伤人数从6人调整为5人。",
        "起初称6人受伤，现更正为5人。",
    ],
)
def test_the_corrected_number_holds_and_the_old_one_is_kept(text: str) -> None:
    holding, replaced = of_field(text, "injured")
    assert [fact.number for fact in holding] == [5.0]
    assert [fact.number for fact in replaced] == [6.0]


@pytest.mark.parametrize(
    ("text", "new", "old"),
    [
        ("The loss, first put at £3,000, was corrected to £5,000.", 5000.0, 3000.0),
        ("The loss was corrected from USD 12,000 to USD 15,000.", 15000.0, 12000.0),
        ("直接经济损失由12万元更正为15.5万元。", 155000.0, 120000.0),
    ],
)
def test_amounts_are_corrected_too(text: str, new: float, old: float) -> None:
    holding, replaced = of_field(text, "loss")
    assert [fact.number for fact in holding] == [new]
    assert [fact.number for fact in replaced] == [old]


def test_a_correction_further_down_goes_before_the_form_above() -> None:
    text = "Injured: 6\n\nThe number of injured was corrected from 6 to 5."
    holding, replaced = of_field(text, "injured")
    assert ([f.number for f in holding], [f.number for f in replaced]) == ([5.0], [6.0])


@pytest.mark.parametrize(
    "text",
    [
        "6 people were injured. The number of injured was corrected to 5.",
        "Injured: 6\n\nCorrection of 3 May: injuries are revised to 5.",
        "6人受伤。受伤人数更正为5人。",
    ],
)
def test_a_correction_that_leaves_the_old_number_to_the_words_before_it_holds(text: str) -> None:
    assert [fact.number for fact in of_field(text, "injured")[0]] == [5.0]


@pytest.mark.parametrize(
    "text",
    [
        "6 people were injured; the pressure was corrected to 5 bar.",
        "6 people were injured and the pressure was corrected to 5 bar.",
        "6人受伤，救援人员更正为5人。",
    ],
)
def test_what_is_corrected_stands_in_the_clause_before_it(text: str) -> None:
    assert [fact.number for fact in of_field(text, "injured")[0]] == [6.0]


@pytest.mark.parametrize(
    "text",
    [
        "6 people were injured, not seriously.",
        "The number of injured rose from 2 in May to 6 in June.",
        "The pressure was corrected from 6 to 5 bar.",
        "救援人员由6人增加到9人，无人受伤。",
        "救援人员由6人更正为9人，无人受伤。",
        "6人受伤，并非5名工人的责任。",
    ],
)
def test_other_numbers_correct_nothing(text: str) -> None:
    assert of_field(text, "injured")[1] == []
