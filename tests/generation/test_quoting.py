"""What is quoted for a reading: whole sentences, fields, and the lists that items belong to."""

import pytest

from kb_service.generation.quoting import means_list, quote
from kb_service.language.asked import parse_question
from tests.generation.passages import passage, reading

MEASURES = (
    "整改要求：\n1. 更换全部老化线路。\n2. 增设报警器。费用由企业承担。\n"
    "3. 每月演练一次。\n联系人：周芳"
)
COUNTED = "下一步，一是停产整顿；二是开展全员培训；三是约谈负责人。会议到此结束。"


def test_the_sentence_that_was_read_is_quoted_whole_and_its_words_are_told() -> None:
    text = "The pump failed on 3 March 2021. A valve was closed after 40 minutes."
    found = quote(reading(passage(text), "40 minutes"), whole_lists=False)
    assert found.sentences == ("A valve was closed after 40 minutes.",)
    assert found.words == "40 minutes"


def test_a_field_is_quoted_with_its_label() -> None:
    found = quote(reading(passage(MEASURES), "周芳"), whole_lists=False)
    assert found.sentences == ("联系人：周芳",)


def test_words_over_two_sentences_quote_both() -> None:
    text = "The hose burst. Gas filled the hall. Nobody was hurt."
    found = quote(reading(passage(text), "burst. Gas filled"), whole_lists=False)
    assert found.sentences == ("The hose burst.", "Gas filled the hall.")


@pytest.mark.parametrize(
    "item", ["更换全部老化线路", "增设报警器", "费用由企业承担", "每月演练一次"]
)
def test_any_item_leads_to_its_whole_list(item: str) -> None:
    found = quote(reading(passage(MEASURES), item), whole_lists=True)
    assert found.sentences[0] == "整改要求： 1. 更换全部老化线路。"
    assert found.sentences[-1] == "3. 每月演练一次。"
    assert len(found.sentences) == 4


def test_items_that_are_counted_inside_a_sentence_are_a_list() -> None:
    found = quote(reading(passage(COUNTED), "开展全员培训"), whole_lists=True)
    assert "".join(found.sentences) == "下一步，一是停产整顿；二是开展全员培训；三是约谈负责人。"


def test_lines_behind_bullets_are_a_list() -> None:
    text = "Follow-up:\n- replace the hose\n- train the crew\n- audit the contractor\n\nSigned, Kay"
    found = quote(reading(passage(text), "train the crew"), whole_lists=True)
    assert "replace the hose" in " ".join(found.sentences)
    assert "audit the contractor" in " ".join(found.sentences)
    assert "Kay" not in " ".join(found.sentences)


def test_a_sentence_outside_any_list_stays_alone() -> None:
    found = quote(reading(passage(COUNTED), "会议到此结束"), whole_lists=True)
    assert found.sentences == ("会议到此结束。",)


def test_items_between_semicolons_are_a_list() -> None:
    text = "间接原因包括：企业未按规定检修；驾驶员连续驾驶；监管缺失。事故已通报。"
    found = quote(reading(passage(text), "驾驶员连续驾驶"), whole_lists=True)
    assert "".join(found.sentences) == "间接原因包括：企业未按规定检修；驾驶员连续驾驶；监管缺失。"


def test_the_last_item_is_quoted_to_the_end_of_its_line() -> None:
    text = "Action items:\n1. Alert early (owner: Kay)\n2. Add a test (owner: Lee)\n\nSigned, Kay"
    found = quote(reading(passage(text), "Alert early"), whole_lists=True)
    assert " ".join(found.sentences).endswith("2. Add a test (owner: Lee)")


def test_what_is_announced_is_quoted_to_the_end_of_its_paragraph() -> None:
    text = (
        "The board determines the cause to be:\nThe pilot's late flare. A factor was the snow.\n\n"
        "Other findings follow."
    )
    found = quote(reading(passage(text), "late flare"), whole_lists=False)
    assert "A factor was the snow." in " ".join(found.sentences)
    assert "Other findings" not in " ".join(found.sentences)


WORK = "Follow-up work\n\n- alert when a snapshot is old (owner: Kay)\n- move the debug traces\n"
DECIDED = "三、议定事项\n1. 全部校车装好按钮。\n2. 照管员缺岗的线路不得发车。\n3. 每月抽查线路。"


@pytest.mark.parametrize(
    ("text", "read", "question"),
    [
        (WORK, "alert when a snapshot is old", "What follow-up work came out of the post-mortem?"),
        (WORK, "move the debug traces", "so what's the follow-up work then"),
        (DECIDED, "照管员缺岗的线路不得发车", "会上议定的事项说一下"),
        (DECIDED, "全部校车装好按钮", "会议最后议定了啥事项"),
        (MEASURES, "更换全部老化线路", "整改要求怎么写的？"),
    ],
)
def test_a_question_in_the_words_that_introduce_a_list_means_the_list(
    text: str, read: str, question: str
) -> None:
    of = passage(text, title="Post-mortem of the search index")
    assert means_list(reading(of, read), parse_question(question))


@pytest.mark.parametrize(
    ("text", "read", "question"),
    [
        (WORK, "Kay", "Who owns the follow-up work?"),
        (WORK, "move the debug traces", "What is done about the debug traces?"),
        (DECIDED, "照管员缺岗的线路不得发车", "照管员缺岗的线路怎么办？"),
        (DECIDED, "每月抽查线路", "线路多久抽查一次？"),
        (MEASURES, "周芳", "整改要求的联系人是谁？"),
        ("The pump failed. It was old.", "The pump failed", "What failed?"),
    ],
)
def test_a_question_about_one_item_or_a_name_in_it_means_that(
    text: str, read: str, question: str
) -> None:
    of = passage(text, title="Post-mortem of the search index")
    assert not means_list(reading(of, read), parse_question(question))
