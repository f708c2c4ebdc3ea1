"""Chats and mails: who speaks, who told first of what happened, and what was corrected later."""

import pytest

from kb_service.domain.facts import REPLACED, FactField, Role
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.roles import role_of
from kb_service.language.stated.talks import turns_in
from kb_service.language.units import marked

CHAT = """群聊：值守群
2024-05-12

08:41 安全员-贺敏
各位早

08:42 罗文斌
西门这边着火了，08:35左右着的

08:50 安全员-贺敏
受伤3人。

08:52 罗文斌
刚才说错了，受伤2人。
"""
INLINE = """[22/08/2024, 14:03] Carla Mendes: gas leak in the store, 3 injured
[22/08/2024, 14:05] Jonas Weber: on the way
[22/08/2024, 14:31] Carla Mendes: Correction: 4 people were injured, not 3.
"""
MAIL = """From: Ines Halloran <i@example.org>
Date: Wed, 19 Jun 2024 14:20
Subject: RE: spill

I have to correct the number of injured: it is 2, not 3.

-----Original Message-----
From: Tom Varga
Sent: 18 June 2024 17:05
Subject: spill

On 18 June 2024 at 15:40 a drum spilled. Three people were injured.
"""


def stated(text: str, field: str) -> list[tuple[str, str]]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return [(fact.text, fact.role) for fact in found if fact.field == field]


def test_the_turns_of_a_chat_are_told_from_what_is_said() -> None:
    turns = turns_in(CHAT)
    assert [turn.who.of(CHAT) for turn in turns] == ["安全员-贺敏", "罗文斌"] * 2
    assert turns[1].words.of(CHAT).strip() == "西门这边着火了，08:35左右着的"


def test_who_tells_first_of_a_happening_reports_it() -> None:
    assert set(stated(CHAT, FactField.PERSON)) == {("贺敏", "安全员"), ("罗文斌", Role.REPORTER)}
    assert stated(CHAT, FactField.REPORTED) == [("2024-05-12T08:42", "")]
    assert stated(CHAT, FactField.TIME) == [("2024-05-12T08:35", "")]


def test_what_is_said_later_corrects_what_was_said_before() -> None:
    assert stated(CHAT, FactField.INJURED) == [("2", "")]
    assert ("4", "") in stated(INLINE, FactField.INJURED)
    assert ("3", REPLACED) in stated(INLINE, FactField.INJURED)


def test_words_may_stand_behind_who_and_when() -> None:
    turns = turns_in(INLINE)
    assert [turn.who.of(INLINE) for turn in turns] == [
        "Carla Mendes",
        "Jonas Weber",
        "Carla Mendes",
    ]
    assert ("carla mendes", Role.REPORTER) in stated(INLINE, FactField.PERSON)


def test_of_mails_within_a_mail_the_first_that_tells_it_reports() -> None:
    assert set(stated(MAIL, FactField.PERSON)) == {
        ("ines halloran", ""),
        ("tom varga", Role.REPORTER),
    }
    assert ("2", "") in stated(MAIL, FactField.INJURED)


def test_a_log_and_a_list_of_times_are_no_talk() -> None:
    assert not turns_in("09:14 alert fires\n09:48 cause found\n10:56 service back\n")
    assert not turns_in("08:00 Pump started.\nAll well.\n09:00 Pump tripped.\nReset.\n")
    log = "08:00 Gate A\nopened\n\n09:00 Gate B\nopened\n\n10:00 Gate C\nopened\n"
    assert not turns_in(log)


def test_an_owner_with_the_name_of_a_person_is_one() -> None:
    form = "ID: CL-2024-4050\nDate: 2024-07-10\nLocation: Pier 4\nOwner: {}\n"
    assert stated(form.format("Jana Horak"), FactField.PERSON) == [("jana horak", "Owner")]
    assert stated(form.format("Marlow Paper Ltd"), FactField.PERSON) == []


def reporters(text: str) -> set[str]:
    told = [f for f in facts_in(marked(text)) if f.field == FactField.PERSON]
    return {f.value for f in told if role_of(f.field, f.role or "") is Role.REPORTER}


def test_who_is_said_to_have_reported_goes_before_who_writes() -> None:
    """The officer who wrote the mails was counted as the one who rang in every time."""
    note = (
        "From: Sgt. Boone\nTo: desk\nSubject: gas leak\n\nGas leak at Mill Lane, 3 May 2024, 14:20."
    )
    assert reporters(f"{note}\n\nCarol Hart rang it in (555-0101).\n") == {"Carol Hart"}
    assert reporters(f"{note}\n\nReported by: Carol Hart\n") == {"Carol Hart"}
    assert reporters(f"{note}\n") == {"Sgt. Boone"}
    assert reporters("报警人：韩梅\n" + CHAT) == {"韩梅"}
    assert reporters(CHAT) == {"罗文斌"}


@pytest.mark.parametrize(
    "text",
    [
        "Lou Pratt 10:05\nWhere?\n\nMei Tan 10:06\nHall 4.\n\nLou Pratt 10:07\nThe fire is out.\n",
        "李四海 10:05\n原因？\n\n王小磊 10:06\n短路。\n\n李四海 10:07\n火灭了。\n",
        "Lou Pratt 10:05\nReported by?\nMei Tan 10:06\nme\nLou Pratt 10:07\nThe fire is out.\n",
    ],
)
def test_who_speaks_next_is_no_answer_to_a_question(text: str) -> None:
    assert len(turns_in(text)) == 3
    fields = (FactField.PLACE, FactField.CAUSE, FactField.TIME)
    assert [one for field in fields for one in stated(text, field)] == []
    found = facts_in(marked(text))
    assert not [one.value for one in found if one.value.endswith("10:06")]


def test_a_label_before_its_time_is_nobody_who_speaks() -> None:
    blocks = "发生时间 10:05\n东门起火\n\n发生时间 11:20\n西门漏水\n\n发生时间 12:40\n停电\n"
    assert turns_in(blocks) == ()
