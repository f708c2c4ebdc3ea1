"""What a text claims, denies and is evidence of, clause by clause."""

import pytest

from kb_service.language.clauses import Clause, cells_in, clauses_in
from kb_service.language.folding import fold
from kb_service.language.novelty import contradicting, evidence_of, new_claims, share_met
from kb_service.language.text import normalise


def clauses(text: str) -> tuple[Clause, ...]:
    return clauses_in(normalise(text))


def new(sentence: str, source: str) -> list[str]:
    """Return the words of a sentence that a source does not hold."""
    evidence = evidence_of(clauses(source))
    words = normalise(sentence)
    found = [claim for clause in clauses(sentence) for claim in new_claims(clause, evidence)]
    return [words[claim.start : claim.end] for claim in found]


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("The valve was closed by Forman.", "Forman closes valves."),
        ("事故造成三人死亡。", "事故造成3人死亡。"),
        ("3号機房", "三号机房"),
        ("５名受伤", "5人受伤"),
        ("损失5600000元", "损失560万元"),
        ("on 2024-05-03", "2024年5月3日"),
        ("于2024年5月3日断电。", "2024-05-03断电"),
        ("The cause was fatigue.", "Cause: fatigue"),
        ("断裂的原因是疲劳。", "疲劳导致断裂"),
        ("It took 40 min.", "It took 40 minutes"),
        ("历时215分钟", "历时（分钟）：215"),
        ("$500 of damage", "damage of 500 dollars"),
        ("According to the report, it burnt.", "It was burning."),
        ("a check in of bags", "bags: check-in"),
    ],
)
def test_another_wording_of_one_fact_says_nothing_new(sentence: str, source: str) -> None:
    assert new(sentence, source) == []


@pytest.mark.parametrize(
    ("sentence", "source", "words"),
    [
        ("It took 40 hours.", "It took 40 minutes, not hours.", ["40 hours"]),
        ("温度下降", "温度上升", ["下", "降"]),
        ("检查后停机", "检查前停机", ["后"]),
        ("above 500 feet", "below 500 feet", ["above"]),
        ("It must stop.", "It may stop.", ["must"]),
        ("水的温度", "油温", ["水", "温", "度"]),
        ("case SG-2024-002", "case SG-2024-001", ["sg-2024-002"]),
        ("5000元以下", "5000元以上", ["下"]),
    ],
)
def test_another_fact_is_new(sentence: str, source: str, words: list[str]) -> None:
    assert new(sentence, source) == words


def test_a_date_or_one_word_is_no_clause_of_its_own() -> None:
    text = "On 3 March, the old valve failed, badly, and Mr Forman closed it."
    words = normalise(text)
    assert [words[c.start : c.end].strip() for c in clauses(text)] == [
        "on 3 march, the old valve failed, badly,",
        "and mr forman closed it.",
    ]


def test_items_are_clauses_only_where_they_are_asked_for() -> None:
    text = "更换全部阀门、培训全体员工"
    assert len(clauses_in(text)) == 1
    assert len(clauses_in(text, by_item=True)) == 2


def test_nothing_parts_a_list_from_the_word_that_denies_it() -> None:
    assert len(clauses("There were no serious injuries, fuel leaks, or hull damage.")) == 1


def test_the_cells_of_a_row_are_clauses_where_they_stand() -> None:
    row = "| li | 5 injured | |"
    assert [row[c.start : c.end].strip() for c in cells_in(row)] == ["li", "5 injured"]
    assert [row[k.start : k.end] for c in cells_in(row) for k in c.claims] == ["li", "5", "injured"]


@pytest.mark.parametrize(
    ("sentence", "source", "agrees"),
    [
        ("未造成伤亡", "没有造成伤亡", True),
        ("造成伤亡", "未造成伤亡", False),
        ("It did not fail.", "It didn't fail", True),
        ("It never failed.", "It failed", False),
        ("The old pump failed.", "The old pump failed and the new valve did not leak", True),
        ("Pump No. 3 failed.", "Pump No. 3 failed", True),
        ("No, it did not fail.", "It did not fail", True),
        ("不锈钢管断裂", "不锈钢管断裂", True),
        (
            "The pump did not fail, the valve leaked oil.",
            "The pump failed, the valve did not leak oil.",
            False,
        ),
    ],
)
def test_a_clause_must_deny_as_often_as_what_it_is_taken_from(
    sentence: str, source: str, agrees: bool
) -> None:
    assert (contradicting(clauses(sentence), clauses(source)) == []) is agrees


def test_the_share_that_is_met_counts_a_character_as_half_a_word() -> None:
    assert share_met(clauses("old pumps"), evidence_of(clauses("a pump"))) == 0.5
    assert share_met(clauses("水泵 pump"), evidence_of(clauses("水泵"))) == 0.5
    assert share_met(clauses("of the"), evidence_of(clauses("pump"))) == 0.0


def test_what_is_folded_knows_its_place() -> None:
    words = fold("ﬁre 機\u00ad房 ５")
    assert words.text == "fire 机房 5"
    assert words.typed(0, 2).start == 0
    assert [words.typed(i, i + 1).start for i in (5, 6, 8)] == [4, 6, 8]
    assert words.typed(5, 7).end == 7
