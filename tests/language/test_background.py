"""What a long question only tells beforehand is its background; a short one has none."""

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.background import asking_alone, asking_first, asking_part, only_looks_up
from kb_service.language.mentions import unmentioned
from kb_service.language.question_parts import parts_of
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise

CHINESE = (
    "我们是石门县的一家运输企业，去年在文昌路租了一个停车场，主要给城东区的几家超市配送货物，"
    "最近上级要求我们组织一次安全学习，重点看看别的单位出过什么问题，司机们平时也会经过白鹭湖和云岭市，"
    "大家都比较关心隧道里的安全。黑水隧道去年封闭过。{}起火的原因是什么？"
)
ENGLISH = (
    "We run a small haulage firm in Norwich and rent a yard near Elm Road. Last month our insurer, "
    "Aldgate Logistics, asked every customer to hold a safety day, and the drivers who usually go "
    "through Westfield would like to hear about what went wrong at other firms, because they "
    "think that most of it could happen to them as well on any given day of the week. "
    "They know of Blackwater Tunnel. Who closed it after the fire {}?"
)


def hard(question: str) -> list[str]:
    return [s.text for s in subjects_in(parse_question(question)) if not s.is_background]


def test_only_the_asking_clause_and_the_one_before_it_name_what_must_be_met() -> None:
    assert hard(CHINESE.format("青石岭")) == ["黑水隧道", "青石岭", "起火"]
    assert hard(ENGLISH.format("in Leeds")) == ["Blackwater Tunnel", "fire", "Leeds"]


def test_the_background_is_named_but_no_document_has_to_speak_of_it() -> None:
    asked = parse_question(CHINESE.format(""))
    subjects = subjects_in(asked)
    assert "石门县" in [s.text for s in subjects if s.is_background]
    assert unmentioned(subjects, normalise("黑水隧道起火"), "zh") == ()
    assert [s.text for s in unmentioned(subjects, normalise("白水隧道起火"), "zh")] == ["黑水隧道"]


def test_a_long_sentence_is_parted_at_its_commas() -> None:
    question = CHINESE.format("").replace("。", "，")
    assert hard(question) == ["黑水隧道", "起火"]


def test_a_short_question_has_no_background() -> None:
    assert hard("石门县有个加油站。文昌路堵车。黑水隧道封闭了多久？") == [
        "石门县",
        "文昌路",
        "黑水隧道",
    ]
    assert hard("I live in Norwich. I work in Leeds. Who runs Elm Road?") == [
        "Norwich",
        "Leeds",
        "Elm Road",
    ]


def test_a_long_question_that_asks_first_is_asked_where_its_mark_stands() -> None:
    assert "黑水隧道" in hard(f"黑水隧道封闭了多久？{CHINESE.format('')[:130].replace('什么', '')}")


def test_a_long_question_is_read_from_the_clause_before_the_one_that_asks() -> None:
    long = (
        "您好，我是值班室的小王，刚接到上级电话，说去年冬天临港码头那边有一条船起了火，"
        "想问一下最后认定的起火原因是什么，麻烦尽快回复，谢谢。"
    )
    assert asking_part(long) == (
        "说去年冬天临港码头那边有一条船起了火，想问一下最后认定的起火原因是什么，"
    )
    assert asking_part("起火原因是什么？谢谢") == "起火原因是什么？谢谢"


@pytest.mark.parametrize(
    ("told", "asks", "looks_up"),
    [
        (
            "我们车间上个月也出过类似的事情，安全员让大家都学习一下，",
            "所以很想知道反应釜到底是因为什么炸的，",
            "请帮忙查一下报告里怎么写的。",
        ),
        (
            "家长群里都在传有孩子被锁在车上，有人说是司机的问题，也有人说照管员没来，",
            "我想弄清楚那天照管员为什么不在，",
            "麻烦看一下会议纪要里怎么说的，谢谢",
        ),
        (
            "Our insurer keeps asking about the pump house, and my predecessor left no notes, ",
            "so I need to know why the pump was running without oil that night; ",
            "please check what the report says.",
        ),
        (
            "The board meets tomorrow morning and the chair wants to hear about the crane again, ",
            "so tell me who had signed the lifting plan before the fall, ",
            "and could you look up how the minutes put it, thanks.",
        ),
    ],
)
def test_a_clause_that_only_asks_to_look_it_up_asks_nothing(
    told: str, asks: str, looks_up: str
) -> None:
    question = told + asks + looks_up
    assert asking_part(question).endswith(asks.strip())
    assert len(parts_of(parse_question(question))) == 1


def test_what_a_paper_says_of_a_thing_is_asked_as_any_other_question() -> None:
    asked = "报告里怎么说那台反应釜的？" + "我们只知道厂里以前也出过事，别的都不清楚，" * 2
    assert "反应釜" in asking_part(asked)
    assert not only_looks_up("请查一下反应釜怎么炸的")
    assert not only_looks_up("check what the valve did")


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("When the hoist ran on, who was there?", "who was there when the hoist ran on?"),
        ("After the alarm, how long did it take?", "how long did it take after the alarm?"),
        ("When did it start, and who saw it?", "When did it start, and who saw it?"),
        ("Who was there when the hoist ran on?", "Who was there when the hoist ran on?"),
        ("When was the pump, which failed, mended?", "When was the pump, which failed, mended?"),
        ("漏水的时候，谁在场？", "漏水的时候，谁在场？"),
    ],
)
def test_what_asks_is_read_before_the_clause_that_a_question_begins_with(
    question: str, read: str
) -> None:
    assert asking_first(question) == read


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        (
            (
                "受害人高女士被冒充客服的人员以注销网贷账户为由诈骗，这个案件后来破获，"
                "请问主要犯罪嫌疑人一共作案多少起？"
            ),
            "请问主要犯罪嫌疑人一共作案多少起？",
        ),
        (
            (
                "For the insurance file of a logistics company whose warehouse on Elm Road burnt "
                "in March, I need to know since when the sprinkler valve in the bay had been shut."
            ),
            "I need to know since when the sprinkler valve in the bay had been shut.",
        ),
        ("The pump failed, who repaired it?", ""),
        ("水泵停了，谁修的？", ""),
    ],
)
def test_the_clause_that_asks_can_be_told_alone(question: str, alone: str) -> None:
    assert asking_alone(question) == alone
