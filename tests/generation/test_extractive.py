"""The extractive reader: which words of the passages answer which question."""

import pytest

from kb_service.domain.answers import Generation, GenerationRequest
from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.generation.extractive import ExtractiveReader
from kb_service.language.asked import parse_question
from kb_service.language.units import marked

REPORT = """编号\tSG-2024-001
发生时间 2024年8月17日18时12分
地点\t云岭市中环数据中心三号机房
一、事故概况
2024年8月17日18时12分，位于云岭市的中环数据中心三号机房发生一起泄漏事故，造成5人受伤，直接经济损失约560万元。
二、事故经过
当日18时12分，当班人员褚某丽发现三号机房异常，随即报告值班负责人钱某。现场处置完毕，历时215
分钟。
三、原因分析
（一）直接原因：管道焊缝开裂。
（二）间接原因：现场监护不到位。
四、整改措施
1. 增设在线监测和报警装置；
2. 修订应急预案并每季度演练；
3. 全面排查同类隐患。
五、处理意见
对中环数据中心处以80万元罚款。"""

FORM = """Location:\tTallahassee, FL\tAccident Number:\tNYC08CA055
Date & Time:\t12/08/2007, 1730 EST\tRegistration:\tN5921D
Aircraft:\tPiper PA-22-150\tAircraft Damage:\tSubstantial
Defining Event:\tInjuries:\t1 Minor

Analysis

The pilot was attempting to land the airplane on 8 December at his airstrip in the accident.

Probable Cause and Findings

The National Transportation Safety Board (NTSB) determines the probable cause(s) of this accident:
The pilot's misjudged clearance. Factors were the trees."""


def passage(text: str, number: int = 1, title: str = "report") -> Passage:
    span = TextSpan(0, len(text))
    return Passage(
        number,
        number,
        f"doc_{number}",
        number,
        "ab" * 32,
        title,
        span,
        text,
        1.0,
        tuple(marked(text).quotable()),
    )


def read(question: str, *passages: Passage) -> Generation:
    stream = ExtractiveReader().generate(GenerationRequest(parse_question(question), passages, ()))
    pieces = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            generation: Generation = end.value
            assert "".join(pieces) == generation.text
            return generation


@pytest.mark.parametrize(
    ("question", "words", "sentence"),
    [
        ("泄漏发生在哪一天？", "2024年8月17日", "发生"),
        ("事故造成多少人受伤？", "5人受伤", "2024年8月17日18时12分，位于"),
        ("直接经济损失是多少？", "560万元", "2024年8月17日18时12分，位于"),
        ("对中环数据中心罚款多少？", "80万元", "对中环数据中心"),
        ("处置历时多久？", "215分钟", "现场处置完毕，历时215分钟"),
        ("值班负责人是谁？", "钱某", "当日18时12分"),
        ("直接原因是什么？", "管道焊缝开裂", "（一）直接原因"),
        ("第2条整改措施是什么？", "修订应急预案并每季度演练", "2. 修订"),
        ("提出的第三项整改措施是什么？", "全面排查同类隐患", "3. 全面"),
        ("事故地点在哪里？", "云岭市中环数据中心三号机房", "地点 云岭市"),
    ],
)
def test_a_chinese_question_is_answered_with_the_sentence_and_its_typed_words(
    question: str, words: str, sentence: str
) -> None:
    generation = read(question, passage(REPORT))
    assert generation.answer_words == words
    assert generation.text.startswith(sentence)
    assert words in generation.text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Where did the accident happen?", "Tallahassee, FL"),
        ("When did the accident happen?", "12/08/2007, 1730 EST"),
        ("What was the registration of the aircraft?", "N5921D"),
        ("What type of aircraft was involved in the accident?", "Piper PA-22-150"),
        ("How badly was the aircraft damaged?", "Substantial"),
        ("What injuries resulted from the accident?", "1 Minor"),
        (
            "What did the NTSB determine to be the probable cause of the accident?",
            "The pilot's misjudged clearance. Factors were the trees.",
        ),
    ],
)
def test_a_form_field_is_found_by_its_label(question: str, words: str) -> None:
    assert read(question, passage(FORM)).answer_words == words


@pytest.mark.parametrize(
    "question",
    [
        "What colour was the aircraft painted?",
        "提到的保险公司是哪一家？",
        "事故发生时室外气温是多少？",
        "第7条整改措施的保险费是多少？",
    ],
)
def test_it_abstains_when_no_sentence_covers_the_question(question: str) -> None:
    idf = {"aircraft": 0.2, "事": 0.1, "事故": 0.1, "故": 0.1, "发": 0.1, "发生": 0.1, "生": 0.1}
    idf |= {"公": 0.1, "公司": 0.1, "painted": 5.0}
    request = GenerationRequest(
        parse_question(question), (passage(REPORT), passage(FORM, 2)), (), idf=idf
    )
    assert "".join(ExtractiveReader().generate(request)) == ""


def test_a_count_over_many_reports_is_not_answered_by_one_of_them() -> None:
    assert read("2024年共有几起泄漏？", passage(REPORT)).text == ""
    assert read("How many accidents were there?", passage(FORM)).text == ""


def test_every_sentence_carries_the_mark_of_its_passage_inside_its_end() -> None:
    generation = read("直接原因是什么？", passage("无关。"), passage(REPORT, 2))
    assert generation.text == "（一）直接原因：管道焊缝开裂[2]。"


def test_the_passage_that_states_the_date_of_the_question_wins() -> None:
    first = passage("2023年8月17日发生泄漏，损失约90万元。")
    second = passage("2024年8月17日发生泄漏，损失约80万元。", 2)
    generation = read("2024年8月17日泄漏的损失是多少？", first, second)
    assert generation.answer_words == "80万元"


def test_words_of_the_question_are_never_its_answer() -> None:
    text = "2021年发生泄漏，2022年3月修复。"
    assert read("2021年的泄漏是什么时候修复的？", passage(text)).answer_words == "2022年3月"


def test_it_says_what_it_is_and_how_to_get_a_model_in_both_languages() -> None:
    info = ExtractiveReader().info
    assert (info.kind, info.name) == ("extractive", "extractive-reader")
    assert "KB_LLM__MODEL" in info.notice_en
    assert "KB_LLM__MODEL" in info.notice_zh
    assert "extractive reader" in info.notice_en
    assert "摘录式阅读器" in info.notice_zh


def test_the_same_question_has_the_same_answer() -> None:
    assert read("值班负责人是谁？", passage(REPORT)) == read("值班负责人是谁？", passage(REPORT))


def test_questions_without_words_and_empty_passages_do_no_harm() -> None:
    assert read("？", passage("")).text == ""
    assert read("what is it", passage(" \n")).text == ""


def test_a_label_wins_over_a_sentence_that_repeats_what_the_title_names() -> None:
    titled = passage(REPORT, title="中环数据中心“8·17”泄漏事故调查报告")
    generation = read("中环数据中心泄漏事故的直接原因是什么？", titled)
    assert generation.text == "（一）直接原因：管道焊缝开裂[1]。"


def test_a_question_for_all_measures_is_answered_with_the_whole_list() -> None:
    titled = passage(REPORT, title="中环数据中心“8·17”泄漏事故调查报告")
    generation = read("中环数据中心泄漏之后有哪些整改措施？", titled)
    assert generation.text.startswith("1. 增设在线监测和报警装置[1]；")
    assert generation.text.endswith("3. 全面排查同类隐患[1]。")


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("How long did the pump outage last?", "This page was last edited on 28 June 2016."),
        ("When did the pump alarms go off?", "Alarms: fixed thresholds are a limitation of pumps."),
        ("What was the pump elevation?", "Elevation:"),
        ("泵的处置历时多久？", "泵的处置由值班人员负责。"),
    ],
)
def test_furniture_empty_fields_and_values_of_another_type_are_not_quoted(
    question: str, line: str
) -> None:
    assert read(question, passage(line, title="Pump outage 泵")).text == ""


def test_a_labelled_item_is_quoted_to_the_end_of_its_line() -> None:
    text = (
        "三、原因分析\n（一）直接原因：焊缝开裂。\n（二）间接原因：监护不到位；培训不足。\n四、其他"
    )
    generation = read("泄漏的间接原因是什么？", passage(text, title="泄漏报告"))
    assert generation.text == "（二）间接原因：监护不到位[1]；培训不足[1]。"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("水厂的泄漏发生在哪一天？", "2023年11月16日"),
        ("水厂的泄漏造成多少人死亡？", "2人死亡"),
        ("水厂的泄漏损失了多少钱？", "980万元"),
    ],
)
def test_a_date_or_a_count_is_lit_as_a_whole_and_with_nothing_else(
    question: str, words: str
) -> None:
    # The model alone lit "2023年" and "2人死亡、3人受伤".
    text = "2023年11月16日01时33分，水厂发生泄漏事故，造成2人死亡、3人受伤，损失约980万元。"
    assert read(question, passage(text)).answer_words == words
