"""Wordings of bulletins, claim forms, digests and narratives by other hands: what they state."""

import pytest

from kb_service.domain.facts import Fact, FactField, records_of
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.roles import role_of
from kb_service.language.units import marked


def facts_of(text: str) -> list[Fact]:
    return list(facts_in(marked(text), title="paper"))


def values(text: str, field: str) -> list[str]:
    return [item.text for item in facts_of(text) if item.field == field]


def number(text: str, field: FactField) -> float | None:
    found = [item for item in facts_of(text) if item.field == field]
    return found[0].number if found else None


DAY = "2024年5月3日14时20分，青石巷3号院"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"火警快报　第31号\n\n{DAY}发生燃气泄漏。", "leak"),
        (f"火警快报　第31号\n\n{DAY}发生火灾。", "fire"),
        (f"火灾事故报告\n\n{DAY}发生爆炸，引发火灾。", "fire"),
        ("Fire brigade bulletin no. 31\n\nOn 3 May 2024 a gas leak occurred at Pier 7.", "leak"),
        ("Fire at Pier 7\n\nOn 3 May 2024 an explosion was heard there.", "fire"),
    ],
)
def test_a_kind_that_calls_a_sort_of_paper_gives_way_to_what_it_tells(text: str, kind: str) -> None:
    assert values(text, FactField.KIND)[0] == kind


@pytest.mark.parametrize(
    ("words", "who", "role"),
    [
        ("由苗春生报警。", "苗春生", "reporter"),
        ("仇小满报的警。", "仇小满", "reporter"),
        ("苗春生报警，火势已灭。", "苗春生", "reporter"),
        ("来电：谈雨霏，火势已灭。", "谈雨霏", "reporter"),
        ("北关消防站出动，带队闻静。", "闻静", "handler"),
        ("由闻静带队处置。", "闻静", "handler"),
    ],
)
def test_who_reports_and_who_leads_in_a_bulletin(words: str, who: str, role: str) -> None:
    told = [f for f in facts_of(f"快报\n\n{DAY}发生火灾。{words}") if f.field == FactField.PERSON]
    assert [(f.value, role_of(f.field, f.role)) for f in told] == [(who, role)]


@pytest.mark.parametrize(
    "words", ["由群众报警。", "有人报警。", "报警后消防到场。", "路人报的警。"]
)
def test_nobody_is_named_by_words_for_anybody(words: str) -> None:
    assert values(f"快报\n\n{DAY}发生火灾。{words}", FactField.PERSON) == []


NARRATIVES = [
    ("officers went to a burglary, called to 4 Tanner Row. The reporting party, Petra Olm, rang.",
     "4 tanner row", "petra olm", "reporter"),
    ("Trooper Reyes was dispatched to Pier 7 for a theft. Nobody else came.",
     "pier 7", "reyes", "handler"),
    ("there was a theft at Pier 7. The crew was led by Mara Quist.",
     "pier 7", "mara quist", "handler"),
    ("Petra Olm contacted police about a break-in at Pier 7.", "pier 7", "petra olm", "reporter"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "place", "who", "role"), NARRATIVES)
def test_a_narrative_names_its_place_and_people(
    words: str, place: str, who: str, role: str
) -> None:
    found = facts_of(f"On 3 May 2024 at 14:20 {words}")
    people = [(f.text, role_of(f.field, f.role)) for f in found if f.field == FactField.PERSON]
    assert [f.text for f in found if f.field == FactField.PLACE] == [place]
    assert people == [(who, role)]


@pytest.mark.parametrize(
    ("words", "injured", "dead"),
    [
        ("死1伤2。", 2, 1),
        ("1死2伤。", 2, 1),
        ("伤3，亡1。", 3, 1),
        ("无人伤亡。", 0, 0),
        ("未发现人员伤亡。", 0, 0),
        ("亡者2人。", None, 2),
        ("轻伤2人。", 2, None),
        ("救出伤员2名。", 2, None),
        ("两人送医救治。", 2, None),
        ("重伤1人，轻伤2人。", 3, None),
        ("A man and a boy were injured.", 2, None),
        ("Three workers and a guard were taken to hospital.", 4, None),
        ("Two people were killed and twenty-one injured.", 21, 2),
        ("One woman died and two men were hurt.", 2, 1),
        ("There was no loss of life.", None, 0),
    ],
)
def test_how_many_were_hurt(words: str, injured: float | None, dead: float | None) -> None:
    text = f"{DAY}发生触电。{words}" if not words.isascii() else f"A leak at Pier 7. {words}"
    assert (number(text, FactField.INJURED), number(text, FactField.DEAD)) == (injured, dead)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("no-one", 0), ("none known", 0), ("no injuries claimed", 0), ("0 (nil)", 0),
        ("[x] no", 0), ("☐ Yes ☒ No", 0), ("1 adult, 1 child", 2), ("2 adults and 1 child", 3),
        ("3 persons (2 drivers, 1 passenger)", 3), ("a few", None), ("several", None),
    ],
)  # fmt: skip
def test_a_form_says_how_many(value: str, told: float | None) -> None:
    text = f"CLAIM FORM\n\nNature of loss: gas leak\n\nInjured: {value}\n\nPosition: open"
    assert number(text, FactField.INJURED) == told


@pytest.mark.parametrize("value", ["n/k", "?", "awaiting report", "to be advised", "not disclosed"])
def test_a_form_says_that_it_is_not_known(value: str) -> None:
    text = f"CLAIM FORM\n\nNature of loss: gas leak\n\nInjured: {value}\n\nPosition: open"
    assert values(text, FactField.INJURED) == ["unknown"]


@pytest.mark.parametrize(
    ("value", "injured"), [("2男1女", 3), ("1名老人、2名小孩", 3), ("☐有 ☑无", 0), ("若干", None)]
)
def test_a_chinese_form_says_how_many(value: str, injured: float | None) -> None:
    text = f"事故登记表\n\n事故类型：火灾\n\n受伤人数：{value}\n\n地点：青石巷3号院"
    assert number(text, FactField.INJURED) == injured


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("Loss adjuster", FactField.PERSON),
        ("Claims officer", FactField.PERSON),
        ("Case owner", FactField.PERSON),
        ("Bodily injury", FactField.INJURED),
        ("Any injuries", FactField.INJURED),
        ("Loss of life", FactField.DEAD),
        ("Persons killed", FactField.DEAD),
    ],
)
def test_labels_of_claim_forms(label: str, field: FactField) -> None:
    value = "Carla Reyes" if field is FactField.PERSON else "2"
    text = f"CLAIM FORM\n\nNature of loss: gas leak\n\n{label}: {value}\n\nPosition: open"
    assert len(values(text, field)) == 1


@pytest.mark.parametrize(
    "value",
    [
        "3 May 2024 at 14.20", "14.20 on 3 May 2024", "3 May 2024 (14:20)", "3 May 2024 @ 14:20",
        "3 May 2024 / 14:20", "3 May 2024 1420", "3 May 2024, 2:20 in the afternoon",
        "3 May 2024, time 14:20", "3.5.24 14:20",
    ],
)  # fmt: skip
def test_a_time_of_day_beside_its_day(value: str) -> None:
    text = f"CLAIM FORM\n\nNature of loss: gas leak\n\nWhen: {value}\n\nPosition: open"
    assert values(text, FactField.TIME) == ["2024-05-03T14:20"]


THEFT, CRASH = "Reported by Owen Achebe. Loss $900.", "One dead, two injured."
HEADS = [
    ("Theft - Pier 7 - 09:05", "Collision - Gate 2, Holm Yard - 17:40"),
    ("09:05 - theft - Pier 7", "17:40 - collision - Gate 2, Holm Yard"),
    ("Theft | Pier 7 | 09:05", "Collision | Gate 2, Holm Yard | 17:40"),
    ("1) 09:05 Pier 7, theft.", "2) 17:40 Gate 2, Holm Yard, collision."),
    ("Theft, Pier 7, 09:05 hrs:", "Collision, Gate 2, Holm Yard, 17:40 hrs:"),
]


@pytest.mark.parametrize(
    ("title", "one", "other"),
    [
        *(("Daily summary 3 May 2024", *heads) for heads in HEADS),
        *(("Security desk, 3 May 2024", *heads) for heads in HEADS if heads[0][0] == "T"),
    ],
)
def test_items_that_begin_with_kind_place_and_time_are_incidents_each(
    title: str, one: str, other: str
) -> None:
    records = records_of(facts_of(f"{title}\n\n{one}\n{THEFT}\n\n{other}\n{CRASH}"))
    told = [
        {f.field: f.text for f in r.facts if f.field in (FactField.PLACE, FactField.TIME)}
        for r in records
        if r.number
    ]
    assert told == [
        {FactField.PLACE: "pier 7", FactField.TIME: "2024-05-03T09:05"},
        {FactField.PLACE: "gate 2, holm yard", FactField.TIME: "2024-05-03T17:40"},
    ]


@pytest.mark.parametrize(
    "item",
    [
        "一、{kind}｜{place}｜{time}\n",
        "1. {time} {place} {kind}\n",
        "【{kind}】{place}，{time}。",
        "（一）{place}{kind}（{time}）。",
    ],
)
def test_items_of_a_chinese_digest_say_where(item: str) -> None:
    one = item.format(kind="燃气泄漏", place="青石巷3号院", time="14:20") + "苗春生报警。"
    other = item.format(kind="盗窃", place="北关菜市场", time="17:40") + "损失3000元。"
    other = other.replace("一、", "二、").replace("（一）", "（二）").replace("1.", "2.")
    text = f"每日要情 2024年5月3日\n\n{one}\n\n{other}"
    assert values(text, FactField.PLACE) == ["青石巷3号院", "北关菜市场"]


def test_steps_of_one_fire_are_no_incidents_each() -> None:
    text = (
        "Fire at Pier 7, 3 May 2024\n\n09:05 fire alarm, panel reset, no fire.\n\n"
        "09:20 second fire alarm, guard went to room 4.\n\n09:40 fire put out."
    )
    assert [r.number for r in records_of(facts_of(text))] == [0]


def test_a_call_log_says_who_called_where_and_who_was_sent() -> None:
    text = (
        "接警记录 2024年5月3日\n\n14:20 来电：苗春生（13312345678），青石巷3号院，燃气泄漏。"
        "派：北关消防站。\n17:40 来电：谈雨霏，北关菜市场，盗窃。派：特勤一站。"
    )
    assert values(text, FactField.PERSON) == ["苗春生", "谈雨霏"]
    assert values(text, FactField.PLACE) == ["青石巷3号院", "北关菜市场"]
    assert values(text, FactField.ORGANISATION) == ["北关消防站", "特勤一站"]
