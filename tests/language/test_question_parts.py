"""A question for two things is two questions, each with what it is about; in doubt it is one."""

import pytest

from kb_service.domain.questions import QuestionPart
from kb_service.language.asked import parse_question
from kb_service.language.question_parts import parts_of


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "云桥机房事故的原因和损失分别是多少",
            ("云桥机房事故的原因是多少", "云桥机房事故的损失是多少"),
        ),
        (
            "远景物流公司和安达公司分别被罚款多少？",
            ("远景物流公司被罚款多少？", "安达公司被罚款多少？"),
        ),
        (
            "甲厂的厂长和乙厂的班长分别是谁？",
            ("甲厂的厂长是谁？", "乙厂的班长是谁？"),
        ),
        (
            "黑水隧道的班长和远景公司经理分别是谁？",
            ("黑水隧道的班长是谁？", "远景公司经理是谁？"),
        ),
        (
            "黑水隧道封闭了多久？谁负责抢修？",
            ("黑水隧道封闭了多久？", "关于黑水隧道，谁负责抢修？"),
        ),
        (
            "SG-2024-003的原因是什么，以及损失是多少？",
            ("SG-2024-003的原因是什么", "关于SG-2024-003，损失是多少？"),
        ),
        ("火灾何时发生，谁报的警？", ("火灾何时发生", "关于火灾，谁报的警？")),
        (
            "What was the cause of the outage and what was the damage?",
            ("What was the cause of the outage", "About outage: what was the damage?"),
        ),
        (
            "When and where did the Elm Road fire start?",
            ("When did the Elm Road fire start?", "where did the Elm Road fire start?"),
        ),
        (
            "How much were Aldgate Logistics and Norton Airlines fined respectively?",
            (
                "How much were Aldgate Logistics fined?",
                "How much were Norton Airlines fined?",
            ),
        ),
        (
            "Who closed the valve? When did Forman notice?",
            ("Who closed the valve?", "When did Forman notice?"),
        ),
    ],
)
def test_it_is_asked_in_parts(question: str, parts: tuple[str, ...]) -> None:
    assert tuple(part.asked.casefold() for part in parts_of(parse_question(question))) == tuple(
        part.casefold() for part in parts
    )


@pytest.mark.parametrize(
    "question",
    [
        "和平路追尾的责任怎么认定？",
        "事故的原因和损失是多少？",
        "参与救援的单位有哪些？",
        "两家公司各种罚款一共多少？",
        "值班员发现漏水后做了什么？",
        "什么？",
        "罚款1,500元是谁开的？",
        "Which company, which built the tunnel, was fined?",
        "Who called and when?",
        "When the hoist ran on, which hospital was the rigger taken to?",
        "Where the wall fell, who had been working?",
        "隧道里好几辆车撞在一起，请问原因是什么？",
        "For the firm whose shed burned; what had been shut, and who knew?",
        "What did Smith and Jones see?",
        "Did the pump and the valve both fail?",
        "Really? What failed?",
    ],
)
def test_in_doubt_it_is_one_question_as_typed(question: str) -> None:
    assert parts_of(parse_question(question)) == (QuestionPart(question, question),)


def test_a_part_is_told_as_it_was_typed() -> None:
    _, second = parts_of(parse_question("黑水隧道封闭了多久？谁负责抢修？"))
    assert second == QuestionPart("关于黑水隧道，谁负责抢修？", "谁负责抢修？", goes_on=True)


def test_a_part_of_asking_words_alone_asks_of_what_the_first_part_says() -> None:
    first, second = parts_of(parse_question("Who has to grow the staging base, and by when?"))
    assert first.asked == "Who has to grow the staging base"
    assert second.shown == "by when?"
    assert "grow the staging base" in second.asked
    assert "who" not in second.asked.lower()


def test_what_stands_where_the_first_part_has_its_name_is_asked_alone() -> None:
    parts = parts_of(parse_question("1至3号楼和商铺分别什么时候停水？"))
    assert [part.asked for part in parts] == ["1至3号楼什么时候停水？", "商铺什么时候停水？"]


def test_a_part_that_names_nothing_goes_on_from_the_one_before() -> None:
    asked = "那位老人摔倒以后是什么损伤，医生做了什么处理？"
    assert [part.goes_on for part in parts_of(parse_question(asked))] == [False, True]
    each = "螺杆泵和蒸汽炉的责任人分别是谁？"
    assert [part.goes_on for part in parts_of(parse_question(each))] == [False, False]
