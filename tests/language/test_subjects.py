"""Whom and what a question names, in either script, and nothing that is only a sort of thing."""

from itertools import pairwise

import pytest

from kb_service.domain.questions import SubjectKind as Kind
from kb_service.language.asked import parse_question
from kb_service.language.subjects import subjects_in


def named(question: str) -> list[tuple[str, Kind]]:
    return [(subject.text, subject.kind) for subject in subjects_in(parse_question(question))]


@pytest.mark.parametrize(
    ("question", "subjects"),
    [
        ("SG-2024-003的罚款是多少", [("SG-2024-003", Kind.IDENTIFIER)]),
        ("IR-2025-0042", [("IR-2025-0042", Kind.IDENTIFIER)]),
        ("What was the cause of #19008?", [("#19008", Kind.IDENTIFIER)]),
        ("who led incident 19008?", [("incident 19008", Kind.IDENTIFIER)]),
        ("what does pump-log_2.pdf say", [("pump-log_2.pdf", Kind.FILE_NAME)]),
        ("《安全生产法》何时施行", [("安全生产法", Kind.NAME)]),
        ("“3·15”专案的组长是谁", [("3·15", Kind.NAME)]),
        ("云桥科技有限公司被罚多少", [("云桥科技有限公司", Kind.ORGANISATION)]),
        ("他是哪天给衡川财产保险写信的", [("衡川财产保险", Kind.ORGANISATION)]),
        ("海城律师事务所几点停电", [("海城律师事务所", Kind.ORGANISATION), ("停电", Kind.EVENT)]),
        ("城关派出所几点接的警", [("城关派出所", Kind.ORGANISATION)]),
        ("城北污水处理厂停产了吗", [("城北污水处理厂", Kind.ORGANISATION)]),
        ("B公司被罚多少", [("B公司", Kind.ORGANISATION)]),
        ("被罚款的远景物流公司在哪", [("远景物流公司", Kind.ORGANISATION)]),
        ("中环数据中心的值班员是谁", [("中环数据中心", Kind.PLACE)]),
        ("我县南关镇有几起", [("南关镇", Kind.PLACE)]),
        ("我市的滨江区几起", [("滨江区", Kind.PLACE)]),
        ("全县南关镇有几起", [("南关镇", Kind.PLACE)]),
        ("我省南州市在哪", [("南州市", Kind.PLACE)]),
        ("全州县在哪", [("全州县", Kind.PLACE)]),
        ("贵州省在哪", [("贵州省", Kind.PLACE)]),
        ("位于石门县的加油站", [("石门县", Kind.PLACE)]),
        (
            "云岭市文昌路追尾的责任",
            [("云岭市", Kind.PLACE), ("文昌路", Kind.PLACE), ("追尾", Kind.EVENT)],
        ),
        ("黑水隧道封闭了多久", [("黑水隧道", Kind.PLACE)]),
        ("司机王伟喝酒了吗", [("王伟", Kind.PERSON)]),
        ("驾驶员李某的驾龄", [("李某", Kind.PERSON)]),
        ("事故中陈志强驾驶的是什么车", [("陈志强", Kind.PERSON)]),
        ("Kafka什么时候恢复的", [("Kafka", Kind.NAME)]),
        ("Who runs the Elm Road depot?", [("Elm Road", Kind.PLACE)]),
        ("How much was Aldgate Logistics fined?", [("Aldgate Logistics", Kind.ORGANISATION)]),
        (
            "Did Dr Willis Forman's crew see Seward?",
            [("Willis Forman", Kind.NAME), ("Seward", Kind.NAME)],
        ),
        ("What failed on 3 March 2021?", [("3 March 2021", Kind.DATE)]),
        ("2021年的罚款是多少", [("2021年", Kind.DATE)]),
        ("Who closed the valve after 40 minutes?", [("40", Kind.NUMBER)]),
        ("What caused the fire?", [("fire", Kind.EVENT)]),
        ("What failed at 03:21 UTC?", [("03:21 UTC", Kind.NUMBER)]),
        ("10时05分谁踩了开关", [("10时05分", Kind.NUMBER)]),
        ("中午嘉林花园哪台电梯停了", [("嘉林花园", Kind.PLACE)]),
    ],
)
def test_what_a_question_names_is_found_where_it_stands(
    question: str, subjects: list[tuple[str, Kind]]
) -> None:
    assert named(question) == subjects


@pytest.mark.parametrize(
    "question",
    [
        "该公司被罚款多少",
        "罗保铭本科毕业于哪所大学？",
        "我们公司的年假有几天？",
        "保险公司的职责是什么？",
        "医疗保险怎么报销",
        "哪个派出所接的警",
        "这家养老院在哪",
        "事故调查处理得怎么样",
        "高速公路的限速是多少",
        "哪些地区受影响",
        "事发厂区有几个出口",
        "县里派了多少人",
        "上周三的值班员是谁",
        "What did the pump operator see?",
        "WHO CLOSED THE VALVE?",
        "Which President was it?",
        "How Was The Pump Repaired Then?",
        "When did it stop on Monday in May?",
        "今年的GDP是多少",
        "大约9000人参加了吗",
        "约12年后发生了什么",
        "Who was born in the 70s?",
        "上午10点谁在值班",
        "Who was on duty at 10 pm?",
        "15点20分左右谁来过",
        "Was the line closed between 14:05 and 16:10?",
    ],
)
def test_what_is_only_a_sort_of_thing_is_no_subject(question: str) -> None:
    assert named(question) == []


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("总结一下青石岭隧道事故的经过。", ["青石岭隧道"]),
        ("概括青石岭隧道的情况", ["青石岭隧道"]),
        ("介绍一下黑水桥", ["黑水桥"]),
        ("说说文昌路的情况", ["文昌路"]),
        ("讲讲文昌路的情况", ["文昌路"]),
        ("汇总城东区的处罚", ["城东区"]),
        ("帮我查一下城东区的处罚", ["城东区"]),
        ("麻烦查查青石岭隧道封闭多久", ["青石岭隧道"]),
        ("描述一下文昌路的情况", ["文昌路"]),
        ("参与文昌路救援的有谁", ["文昌路"]),
        ("涉及云桥科技公司的处罚", ["云桥科技公司"]),
        ("关于石门县的报告", ["石门县"]),
        ("处理石门县险情的是谁", ["石门县"]),
        ("调查石门镇险情的是谁", ["石门镇"]),
        ("有关石门县的报告", ["石门县"]),
        ("一家物流公司的处罚", []),
        ("江南港务集团锅炉房的损失", ["江南港务集团"]),
        ("华晟化工有限公司机械故障的原因", ["华晟化工有限公司"]),
        ("黄河水利委员会的意见", ["黄河水利委员会"]),
        ("长江南岸的水位", []),
        ("上半年城东区比城西区多多少起火灾", ["城东区", "城西区", "火灾"]),
        ("有没有更换东门仓库的门禁", ["东门仓库"]),
        ("谁弄丢了东门仓库的钥匙", ["东门仓库"]),
        ("把油罐车开进东港码头的司机", ["东港码头"]),
        ("那艘在青岛港装煤的货轮", ["青岛港"]),
        ("那艘运铁矿砂的大船挨上码头前出了什么岔子", []),
        ("老陆碰码头那事儿后来咋处理的", []),
        ("那台发烫停掉的泵是谁去看的", []),
        ("清池子撞坏阀门的那个工地", []),
        ("Summarise Elm Road", ["Elm Road"]),
        ("Tell me about Elm Road", ["Elm Road"]),
        ("Please describe Blackwater Tunnel briefly", ["Blackwater Tunnel"]),
        ("Recap Elm Road", ["Elm Road"]),
        ("Concerning Elm Road: who was there?", ["Elm Road"]),
    ],
)
def test_words_in_front_of_a_name_are_no_part_of_it(question: str, names: list[str]) -> None:
    assert [text for text, _ in named(question)] == names


def test_a_subject_points_at_what_was_typed_and_is_folded_for_matching() -> None:
    typed = "請問　ＳＧ－２０２４－００３和雲橋市的損失"
    first, second = subjects_in(parse_question(typed))
    assert (first.text, first.forms) == ("ＳＧ－２０２４－００３", ("sg-2024-003",))
    assert second.span.of(typed) == second.text == "雲橋市"
    assert second.forms == ("云桥市", "云桥")


def test_no_subject_lies_over_another() -> None:
    subjects = subjects_in(parse_question("《江南化工厂记录》里2024年3月5日的火灾"))
    spans = [subject.span for subject in subjects]
    assert [s.text for s in subjects] == ["江南化工厂记录", "2024年3月5日", "火灾"]
    assert all(a.end <= b.start for a, b in pairwise(spans))
