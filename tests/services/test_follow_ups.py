"""A question that leaves out what it is about is answered as the full one, which the user sees."""

from dataclasses import replace

import pytest

from kb_service.domain.answers import Answer, Understood
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.questions import QuestionKind
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.language.kinds import kind_of
from kb_service.services.follow_ups import (
    Carried,
    CitedDocument,
    Rewritten,
    asks_of_another,
    carried_from,
    carried_through,
    is_elsewhere,
    rewrite,
)
from tests.web.answers import answer, citation

NUMBERED = CitedDocument("doc_1", "SG-2024-003-江南化工厂火灾事故调查报告")
TITLED = CitedDocument("doc_2", "Elm Road depot fire report")


def after(before: str, now: str, *documents: CitedDocument) -> Rewritten:
    return rewrite(parse_question(now), Carried(parse_question(before), documents))


@pytest.mark.parametrize(
    ("before", "now", "full", "about"),
    [
        (
            "江南化工厂火灾的原因是什么？",
            "罚款多少？",
            "关于SG-2024-003，罚款多少？",
            "关于 SG-2024-003",
        ),
        (
            "SG-2024-007的损失是多少？",
            "那直接原因呢？",
            "关于SG-2024-007，直接原因呢？",
            "关于 SG-2024-007",
        ),
        (
            "黑水隧道追尾是谁的责任？",
            "他开的什么车？",
            "关于黑水隧道追尾，他开的什么车？",
            "关于 黑水隧道追尾",
        ),
        (
            "Who raised the alarm at Elm Road?",
            "When did he see it?",
            "About Elm Road: When did he see it?",
            "about Elm Road",
        ),
        (
            "What stopped Kafka on 3 March 2021?",
            "And the damage?",
            "About Kafka on 3 March 2021: the damage?",
            "about Kafka on 3 March 2021",
        ),
        (
            "黑水隧道封闭了多久？",
            "What was the cause?",
            "About 黑水隧道: What was the cause?",
            "about 黑水隧道",
        ),
    ],
)
def test_what_was_asked_about_is_carried_pronoun_or_not(
    before: str, now: str, full: str, about: str
) -> None:
    documents = (NUMBERED,) if "江南" in before else ()
    found = after(before, now, *documents)
    assert (found.question.text, found.about) == (full, about)
    assert found.carried == (about.split(" ", 1)[1],)
    assert found.documents == tuple(document.id for document in documents)


@pytest.mark.parametrize(
    ("before", "now", "full"),
    [
        ("甲化工公司被罚款多少？", "那乙化工公司呢？", "乙化工公司被罚款多少？"),
        ("关于SG-2024-003，罚款多少？", "SG-2024-005呢？", "关于SG-2024-005，罚款多少？"),
        ("2024年江南化工厂的产量是多少？", "2023年呢？", "2023年江南化工厂的产量是多少？"),
        ("江南化工厂的产量是多少？", "那2023年呢？", "关于2023年，江南化工厂的产量是多少？"),
        ("今年江南化工厂的产量是多少？", "去年呢？", "去年江南化工厂的产量是多少？"),
        ("What failed at Seward last year?", "and this year?", "What failed at Seward this year?"),
        ("How much was Aldgate Logistics fined?", "And Norton?", "How much was Norton fined?"),
        ("What failed at Seward in 2022?", "what about 2023?", "What failed at Seward in 2023?"),
        ("What failed at Seward?", "How about in Lisbon?", "What failed at Lisbon?"),
        ("1号空压机3月9日的油温是多少？", "2号呢？", "2号空压机3月9日的油温是多少？"),
        ("三号泵房什么时候停的？", "那五号呢？", "五号泵房什么时候停的？"),
        ("When was crane No. 5 repaired?", "And no. 6?", "When was crane No. 6 repaired?"),
        ("What burned in Hall 2?", "what about number 3?", "What burned in Hall 3?"),
    ],
)
def test_a_name_alone_takes_the_place_of_the_one_before(before: str, now: str, full: str) -> None:
    found = after(before, now, NUMBERED)
    assert found.question.text == full
    assert found.documents == ()
    assert found.carried and all(words in before for words in found.carried)


@pytest.mark.parametrize(
    "now",
    [
        "黑水隧道封闭了多久？",
        "SG-2024-005的原因呢？",
        "Who led Kafka's repair?",
        "谢谢",
        "2024年有多少起事故？",
        "哪些报告提到了叉车？",
        "什么是动火作业？",
        "What is an interlock?",
        "泄漏事故的处理流程是什么？",
        "2022年的产量是多少？",
    ],
)
def test_a_question_with_a_subject_of_its_own_carries_nothing(now: str) -> None:
    found = after("江南化工厂火灾的原因是什么？", now, NUMBERED)
    assert found == Rewritten(parse_question(now))


def test_the_same_kind_of_happening_is_the_one_asked_about() -> None:
    found = after("江南化工厂火灾的原因是什么？", "火灾造成几人受伤？", NUMBERED)
    assert found.question.text == "关于SG-2024-003，火灾造成几人受伤？"
    found = after("江南化工厂火灾的原因是什么？", "那次泄漏呢，谁负责？", NUMBERED)
    assert found.carried == ("SG-2024-003",)


def test_a_document_alone_gives_its_title_when_the_question_named_nothing() -> None:
    found = after("what was the probable cause?", "who wrote it?", TITLED)
    assert found.question.text == "About Elm Road depot fire report: who wrote it?"
    assert found.documents == ("doc_2",)
    assert not after("what was it?", "who wrote it?", replace(TITLED, title="x" * 99)).carried
    assert not after("what was it?", "who wrote it?", TITLED, NUMBERED).carried


def test_nothing_is_carried_from_nothing() -> None:
    assert rewrite(parse_question("罚款多少？"), None) == Rewritten(parse_question("罚款多少？"))


def test_what_was_carried_once_is_carried_on() -> None:
    carried = carried_through(["SG-2024-007的损失是多少？", "谢谢", "原因呢？", "你好"])
    assert carried is not None
    assert carried.question.text == "关于SG-2024-007，原因呢？"
    found = rewrite(parse_question("谁负责？"), carried)
    assert found.question.text == "关于SG-2024-007，谁负责？"
    assert carried_through(["你好"]) is None


def test_an_answer_is_gone_on_from_by_its_full_question_and_what_it_quoted() -> None:
    first = replace(citation(1, 0, 3, title="Elm Road"), document_id="doc_1")
    read = Understood("What failed?")
    stored = replace(answer("Yes.", [first, first]), question="And that?", understood=read)
    assert carried_from(stored) == Carried(
        parse_question("What failed?"), (CitedDocument("doc_1", "Elm Road"),)
    )
    found = after("SG-2024-007的损失？", "原因呢？")
    stored = replace(stored, question="原因呢？", understood=Understood(found.question.text))
    assert carried_from(stored).question == found.question


def test_the_full_question_is_of_the_kind_of_the_short_one() -> None:
    found = after("SG-2024-007的损失？", "有哪些措施？")
    assert kind_of(found.question) is QuestionKind.LIST


@pytest.mark.parametrize(
    ("before", "now", "is_other"),
    [
        ("Why did the pump zqkept stop?", "Why did the pump zqrevised stop?", True),
        ("What did the audit of Redford cost?", "What did the audit of the old mill cost?", True),
        ("Why did the pump stop?", "Who mended it?", False),
        ("Why did the pump zqkept stop?", "Why did the pump zqkept stop?", False),
        ("罚款多少？", "谁负责？", False),
    ],
)
def test_the_same_question_of_something_else_carries_nothing(
    before: str, now: str, *, is_other: bool
) -> None:
    assert asks_of_another(parse_question(now), parse_question(before)) is is_other


@pytest.mark.parametrize(
    ("before", "lit", "now", "full"),
    [
        ("黑水隧道的值班员是谁？", "卢永福", "他几点报的警？", "关于黑水隧道，卢永福几点报的警？"),
        ("黑水隧道的班长叫什么？", "阮文涛", "那她多大？", "关于黑水隧道，阮文涛多大？"),
        ("Who fell at Elm Road?", "Ruben de Wit", "How old is he?", "How old is Ruben de Wit?"),
        ("Who led Elm Road?", "Mei Tanaka", "What was his rank?", "What was Mei Tanaka's rank?"),
    ],
)
def test_whom_a_pronoun_means_is_said_where_the_answer_before_named_a_person(
    before: str, lit: str, now: str, full: str
) -> None:
    found = rewrite(parse_question(now), carried_from(_lit(before, lit)))
    assert found.question.text.endswith(full)
    assert lit in found.carried


@pytest.mark.parametrize(
    ("before", "lit", "now"),
    [
        ("黑水隧道封闭了多久？", "三天", "他几点报的警？"),
        ("黑水隧道是谁的责任？", "远景公司承担全部责任，司机无责", "他几点报的警？"),
        ("黑水隧道的值班员是谁？", "卢永福", "其他人呢？他们去哪了？"),
        ("When did Elm Road burn?", "3 May 2024", "When did he see it?"),
        ("Who fell at Elm Road?", "34 of the workers", "When did they fall?"),
    ],
)
def test_no_name_is_put_where_none_was_asked_for_or_many_are_meant(
    before: str, lit: str, now: str
) -> None:
    found = rewrite(parse_question(now), carried_from(_lit(before, lit)))
    assert lit not in found.question.text


def _lit(question: str, words: str) -> Answer:
    full = Understood(question=question)
    return answer(words, [], understood=full, highlight=TextSpan(0, len(words)))


def test_a_follow_up_is_answered_in_the_language_that_was_typed() -> None:
    """An English question was once refused in Chinese, and its English words told as missing."""
    found = after("永固建材公司“11·9”火灾造成几人死亡？", "Who was killed?")
    assert found.carried and found.question.language == "en"
    assert after("What stopped Kafka?", "损失多少？").question.language == "zh"


@pytest.mark.parametrize(
    ("asked", "quoted", "is_other"),
    [
        ((), (NUMBERED,), False),
        (("doc_1",), (NUMBERED,), False),
        (("doc_1", "doc_2"), (NUMBERED,), False),
        (("doc_2",), (NUMBERED,), True),
        (("doc_2",), (), False),
    ],
)
def test_a_question_asked_only_in_other_documents_goes_on_from_nothing(
    asked: tuple[str, ...], quoted: tuple[CitedDocument, ...], is_other: bool
) -> None:
    previous = Carried(parse_question("谁？"), quoted)
    assert is_elsewhere(previous, Filters(document_ids=asked)) is is_other


@pytest.mark.parametrize(
    "question", ["How many fires were there in 2025?", "How many outages have there been?"]
)
def test_there_is_points_to_nothing_that_was_asked_before(question: str) -> None:
    assert after("What stopped Kafka?", question).carried == ()
    assert after("What stopped Kafka?", "Who worked there?").carried


def test_a_total_stays_in_the_one_document_or_in_what_was_counted() -> None:
    one = (CitedDocument("doc_1", "HZ-1"),)
    of_one = rewrite(parse_question("总共损失多少？"), Carried(parse_question("火灾是哪天？"), one))
    assert of_one.within == Filters(document_ids=("doc_1",))
    assert of_one.question.text == "关于HZ-1，总共损失多少？"
    open_claims = Filters(fields=(FieldFilter("状态", text="处理中"),))
    counted = Carried(parse_question("处理中的有几笔？"), one, filters=open_claims)
    of_counted = rewrite(parse_question("总共损失多少？"), counted)
    assert of_counted.within == open_claims
    assert of_counted.question.text == "关于状态 处理中，总共损失多少？"
    everything = rewrite(parse_question("所有报告总共损失多少？"), counted)
    assert everything.within is None and not everything.carried
