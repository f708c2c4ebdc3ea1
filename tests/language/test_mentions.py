"""A text speaks of a subject however it writes it, and of no other of the same sort."""

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.events import event_kinds
from kb_service.language.mentions import mentions, unmentioned
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise


def missed(question: str, text: str) -> list[str]:
    asked = parse_question(question)
    lost = unmentioned(subjects_in(asked), normalise(text), asked.language, text)
    return [subject.text for subject in lost]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("云桥科技公司被罚多少", "云桥科技有限公司被处罚款。"),
        ("石門縣的損失", "石门损失三万元。"),
        ("文昌路追尾", "两车在文昌东路口相撞。"),
        ("清石岭隧道封闭了多久", "青石岭隧道封闭两小时。"),
        ("“3·15”专案的组长是谁", "3.15 专案组长为陈某。"),
        ("SG-2024-003的损失", "编号：ＳＧ-2024-003"),
        ("2024年8月17日发生了什么", "2024-08-17 18:12 起火"),
        ("2024年8月17日发生了什么", "2024年度报告。8月17日起火"),
        ("8月的罚款", "2024年8月17日罚款"),
        ("Who led the Normans to Elm Road?", "At ELM ROAD the Norman army stood."),
        ("Was Aldgate Logistics Ltd fined?", "Aldgate Logistics was fined."),
        ("What caused the blaze?", "The depot burned down."),
        ("What happened after 1,500 hours?", "after 1500 hours of flight"),
    ],
)
def test_it_is_met_in_other_writing(question: str, text: str) -> None:
    assert missed(question, text) == []


@pytest.mark.parametrize(
    ("question", "text", "lost"),
    [
        ("黑水隧道封闭了多久", "白水隧道封闭两小时。", ["黑水隧道"]),
        ("白鹭湖的水位", "白鹭江水位上涨。", ["白鹭湖"]),
        ("第二中学的食堂", "第三中学食堂，第二次检查。", ["第二中学"]),
        ("近景物流公司的罚款", "远景物流公司被罚款。", ["近景物流公司"]),
        ("SG-2024-003的损失", "编号：SG-2024-0031", ["SG-2024-003"]),
        ("2023年8月17日发生了什么", "2024年8月17日起火，2023年曾检查。", ["2023年8月17日"]),
        ("2023年的罚款", "2024年罚款", ["2023年"]),
        ("文昌路火灾的原因", "文昌路两车相撞。", ["火灾"]),
        ("Who raised the alarm at Elm Road?", "An alarm rang at Elk Road.", ["Elm Road"]),
        ("Was Aldgate Airlines fined?", "Aldgate Logistics was fined.", ["Aldgate Airlines"]),
        ("Why did Kafka stop?", "Elasticsearch stopped.", ["Kafka"]),
    ],
)
def test_another_of_its_sort_does_not_meet_it(question: str, text: str, lost: list[str]) -> None:
    assert missed(question, text) == lost


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("黑水隧道火灾中谁拉响了警报", "The Heishui tunnel fire: Owen rang the bell."),
        ("哈洛路火灾中谁拉响了警报", "The Harlow Road fire: Owen rang the bell."),
        ("第三中学的食堂", "No. 3 Middle School has a canteen of its own."),
        ("9路公交车的司机", "A Route 9 bus left the road at noon."),
        ("6号仓的火灾", "A fire broke out in Bay 6 of the mill."),
        ("What caused the fire in Heishui?", "黑水隧道火灾由电线短路引起。"),
        ("What happened at No. 3 Middle School?", "第三中学食堂停业两周。"),
        ("Who drove the Route 9 bus?", "9路公交车司机喝了酒。"),
        ("Was Hongyue Tunnel Engineering fined?", "宏岳隧道工程有限公司被罚款。"),
        ("Whom did Zhao Qiming call?", "赵启明打了电话。"),
    ],
)
def test_names_and_happenings_are_met_in_another_script(question: str, text: str) -> None:
    assert missed(question, text) == []


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("黑水隧道的警报", "The Qingshiling tunnel: Owen rang the bell."),
        ("贝尔福特路的警报", "The Harlow Road fire: Owen rang the bell."),
        ("第四中学的食堂", "No. 3 Middle School has a canteen of its own."),
        ("第三小学的食堂", "In No. 3 Warehouse the goods of the owner were lost."),
        ("8路公交车的司机", "A Route 9 bus left the road at noon."),
        ("黑水隧道的脱轨", "The Heishui tunnel fire: Owen rang the bell."),
        ("What happened in Heishui?", "白水隧道火灾由电线短路引起。"),
        ("What happened at No. 4 Middle School?", "第三中学食堂停业两周。"),
        ("Who drove the Route 8 bus?", "9路公交车司机喝了酒。"),
        ("What did Kafka lose?", "数据中心断电。"),
    ],
)
def test_in_another_script_too_another_one_does_not_meet_it(question: str, text: str) -> None:
    assert missed(question, text) != []


def test_happenings_have_one_kind_in_every_language() -> None:
    assert event_kinds("仓库火灾") == event_kinds("warehouse blaze") == {"fire"}
    assert event_kinds("the firewall is down") == frozenset()


def test_two_characters_sound_like_too_much_to_be_a_typo() -> None:
    (person,) = subjects_in(parse_question("司机王伟喝酒了吗"))
    assert not mentions(normalise("王维没有喝酒。"), person)


@pytest.mark.parametrize(
    "asked", ["What caused the Kafka outage?", "What did the Redis cluster lose?"]
)
def test_a_latin_name_that_is_no_pinyin_stands_as_it_is_in_a_chinese_paper(asked: str) -> None:
    question = parse_question(asked)
    text = "数据中心断电故障复盘：根因是电池老化，造成停机和4人死亡。"
    assert unmentioned(subjects_in(question), text, question.language)
    assert not unmentioned(subjects_in(question), f"kafka redis {text}", question.language)


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("“4·2”火灾通报，4月3日印发", False),
        ("“4·3”火灾通报", True),
        ("火灾通报。2024年4月3日，厂房起火", True),
        ("火灾通报。损失34.3万元，4号楼有3人受伤", False),
    ],
)
def test_the_day_by_which_an_incident_goes_is_never_another_one(
    text: str, *, is_named: bool
) -> None:
    (mark,) = [s for s in subjects_in(parse_question("“4·3”事件死了几人？")) if s.text == "4·3"]
    assert mentions(normalise(text), mark) is is_named
