"""What has to be done for a question is told by its words, however politely it is put."""

import pytest

from kb_service.domain.questions import QuestionKind as Kind
from kb_service.language.asked import parse_question
from kb_service.language.kinds import (
    asks_what_happened,
    bare_question,
    counts_what_is_asked,
    kind_of,
)

ASKED = {
    Kind.FACT: (
        "云桥公司被罚款多少？",
        "该起火灾造成几人死亡？",
        "爆炸造成的直接经济损失是多少万元？",
        "发电机停了几次？",
        "与2022年相比增加了多少？",
        "值班员说了什么？",
        "How many people died in the ferry fires?",
        "How much was the operator fined?",
        "What was the argument about?",
        "Who wrote the executive summary?",
        "What caused the outage?",
        "How many fire engines were sent?",
    ),
    Kind.YES_NO: (
        "值班员当时在岗吗？",
        "储罐有没有安装报警器",
        "现场是否设置警戒线？",
        "司机喝酒没",
        "找到失踪的船员没有？",
        "会不会再次停电？",
        "Was the valve closed?",
        "Did anyone call the fire brigade",
        "do you know whether the alarm rang?",
    ),
    Kind.LIST: (
        "这起事故有哪些整改措施？",
        "事故原因有哪些？",
        "采取了哪些措施？",
        "调查组包括哪些单位",
        "What measures were taken after the spill?",
        "What were the contributing factors?",
        "Which members of the crew were hurt?",
        "list the recommendations",
    ),
    Kind.LIST_DOCUMENTS: (
        "2024年有哪些事故？",
        "哪些报告提到了叉车？",
        "列出所有涉及液氨的事故",
        "去年的火灾事故有哪些？",
        "哪起事故涉及塔吊？",
        "Which incidents involved a forklift?",
        "Which report mentions asbestos?",
        "list all reports from 2023",
    ),
    Kind.COUNT: (
        "一共有多少份报告？",
        "2024年发生了几起事故？",
        "今年发生过几次火灾？",
        "知识库里有多少个文件",
        "How many incidents were there in 2024?",
        "how many fatal accidents happened",
        "What is the number of outages in March?",
    ),
    Kind.COMPARISON: (
        "两起火灾有什么不同？",
        "甲厂和乙厂的处罚有什么区别",
        "比较一下两份报告的原因",
        "哪起事故损失最大？",
        "城东比城西多多少起？",
        "What is the difference between the two outages?",
        "Which fire lasted longer, Aldgate or Moorside?",
        "Which incident had the most casualties?",
        "compare the two reports",
    ),
    Kind.SUMMARY: (
        "总结一下这起事故",
        "概括今年的事故情况。",
        "给我写一份关于泄漏的摘要",
        "介绍一下云桥机房事故",
        "Summarise the Aldgate fire.",
        "Give me an overview of last year's incidents",
        "tell me about the Aldgate fire",
    ),
    Kind.ABOUT_DOCUMENT: (
        "这份报告讲什么",
        "SG-2024-003讲的是什么？",
        "《消防安全管理规定》的主要内容是什么？",
        "What is report IR-2025-0042 about?",
        "What does the second report say?",
    ),
    Kind.SMALL_TALK: (
        "你好",
        "您好！",
        "谢谢你",
        "你是谁？",
        "你能做什么",
        "Hello!",
        "thanks, that helps",
        "Who are you?",
        "What can you do?",
    ),
}


@pytest.mark.parametrize(
    ("asked", "kind"), [(asked, kind) for kind, many in ASKED.items() for asked in many]
)
def test_a_question_has_the_kind_of_its_words(asked: str, kind: Kind) -> None:
    assert kind_of(parse_question(asked)) is kind


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("您好，请问一下这起事故有哪些整改措施？谢谢！", Kind.LIST),
        ("麻烦您帮我查一下，2024年发生了几起事故，多谢", Kind.COUNT),
        ("你知道火灾是什么时候发生的吗？", Kind.FACT),
        ("能不能帮我总结一下这起事故，好吗？", Kind.SUMMARY),
        ("關於SG-2024-003，有哪些措施？", Kind.LIST),
        ("ＷＨＩＣＨ　ＩＮＣＩＤＥＮＴＳ involved a crane?", Kind.LIST_DOCUMENTS),
        ("hello there,  could you please tell me what   caused the fire, thanks", Kind.FACT),
        ("Can you please summarise the Aldgate fire?", Kind.SUMMARY),
        ("I would like to know which reports mention asbestos", Kind.LIST_DOCUMENTS),
        ("About IR-2025-0042: was the valve closed?", Kind.YES_NO),
    ],
)
def test_politeness_width_and_spaces_change_no_kind(asked: str, kind: Kind) -> None:
    assert kind_of(parse_question(asked)) is kind


def test_what_is_only_polite_stays() -> None:
    assert bare_question("谢谢") == "谢谢"
    assert bare_question("hello, please") == "please"
    assert bare_question("could you tell me when it rang, please?") == "when it rang"


ACROSS = frozenset((Kind.COUNT, Kind.COMPARISON, Kind.LIST_DOCUMENTS))


@pytest.mark.parametrize(
    "question",
    [
        "哪一起事故的直接经济损失最大？",
        "中环数据中心发生了几起事故？",
        "历时最长的是哪次事故？",
        "哪份报告里的罚款最多？",
        "最早的事故是什么时候？",
        "今年停机了多少次事故？",
        "Which incident had the most fatalities?",
        "Which outage lasted the longest?",
        "What was the earliest incident?",
        "How many aviation accidents happened in 2007?",
        "2021年共有几起火灾？",
        "所有火灾报告中，损失最大的是哪一起？",
        "How many accidents happened in 2021?",
    ],
)
def test_a_count_or_an_extreme_over_reports_is_asked_across_documents(question: str) -> None:
    assert kind_of(parse_question(question)) in ACROSS


@pytest.mark.parametrize(
    "question",
    [
        "世界上最大的沙漠是哪一个？",
        "事故造成几人受伤？",
        "最近一次检查是哪天？",
        "他最后在哪家公司任职？",
        "事故最后是怎么处理的？",
        "What is the longest river of France?",
        "How many people were hurt in the accident?",
        "How many events were lost?",
        "How long did the outage last?",
        "事故共造成几人死亡？",
    ],
)
def test_extremes_and_counts_inside_one_subject_are_not(question: str) -> None:
    assert kind_of(parse_question(question)) not in ACROSS


def test_words_that_count_something_else_are_no_count() -> None:
    asked = parse_question("一共有多少起涉及死亡的事故？")
    assert counts_what_is_asked(asked, "全年共发生31起")
    assert counts_what_is_asked(asked, "三起，")
    assert counts_what_is_asked(asked, "两百余起")
    assert not counts_what_is_asked(asked, "7人，受")
    assert counts_what_is_asked(parse_question("How many incidents were there?"), "7 people")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("一共赔付多少钱？", "全年共赔付22622元"),
        ("总共赔了多少块钱？", "合计22622元"),
        ("总损失多少万元？", "总损失约120000元"),
        ("一共疏散多少群众？", "共疏散230名"),
    ],
)
def test_what_is_asked_of_by_its_name_has_no_counter_to_be_met(asked: str, told: str) -> None:
    assert counts_what_is_asked(parse_question(asked), told)


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("What happened at Pier 9?", True),
        ("What happened at 10:17 during the outage?", False),
        ("3月5日14时20分发生了什么？", False),
        ("3月5日发生了什么？", True),
        ("北门发生了什么？", True),
        ("What happened to the records?", False),
        ("发生了什么故障导致停机？", False),
    ],
)
def test_some_questions_ask_for_a_whole_incident(question: str, *, asks: bool) -> None:
    assert asks_what_happened(parse_question(question)) is asks


def test_a_greeting_of_two_words_is_one() -> None:
    for greeting in ("Hi there", "Hello everyone!", "hi all", "Thanks, great work"):
        assert kind_of(parse_question(greeting)) is Kind.SMALL_TALK
    assert kind_of(parse_question("Hi there, who shut the valve?")) is not Kind.SMALL_TALK
    assert kind_of(parse_question("Hello again, who died?")) is not Kind.SMALL_TALK
    assert kind_of(parse_question("Thanks, who died?")) is not Kind.SMALL_TALK
