"""What a sentence states is read, and what stands near it and only looks alike is not."""

import pytest

from kb_service.domain.facts import UNKNOWN
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def stated(text: str, field: str) -> list[str]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return [fact.text for fact in found if fact.field == field]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Root cause\n\nIt was caused by a worn cable.", "a worn cable"),
        ("Cause: The cause was a worn cable.", "a worn cable"),
        ("Cause: The fire was caused by a worn cable.", "a worn cable"),
        ("Cause: a worn cable", "a worn cable"),
        ("Cause: short circuit due to water", "short circuit due to water"),
        ("Cause: fire started by sparks", "fire started by sparks"),
        (
            "Cause: It was caused by sparks, and the door was open.",
            "sparks, and the door was open",
        ),
        (
            "Cause: It was caused by sparks. The door stood open.",
            "it was caused by sparks. the door stood open",
        ),
        ("Cause: The cause is still under investigation.", UNKNOWN),
        ("Cause: Nobody knows yet what caused it.", UNKNOWN),
        ("原因：经查，系阀门垫片老化所致。", "阀门垫片老化"),
        ("事故原因：起火原因为乱扔烟头。", "乱扔烟头"),
        ("事故原因：因电线老化引起短路", "因电线老化引起短路"),
        ("事故原因：电线老化", "电线老化"),
        ("事故原因：具体原因有待进一步调查。", UNKNOWN),
    ],
)
def test_a_cause_is_what_its_sentence_says_or_the_phrase_as_it_stands(
    text: str, cause: str
) -> None:
    assert stated(text, "cause") == [cause]


@pytest.mark.parametrize(
    ("text", "measures"),
    [
        ("Action items\n\n• [ ] cordon off\n• [x] replace it", ["cordon off", "replace it"]),
        ("Action items:\n- [ ] train the staff\n", ["train the staff"]),
        ("一、议定事项\n1.加装护栏\n2.培训员工", ["加装护栏", "培训员工"]),
        ("四、下一步工作\n1.加装护栏\n2.培训员工", ["加装护栏", "培训员工"]),
        ("已采取措施：封闭现场", ["封闭现场"]),
        ("Measures: 1. shut the valve; 2. -5 degrees kept", ["shut the valve", "-5 degrees kept"]),
        ("一、参会人员\n1.张三丰\n2.李四光", []),
        ("Shopping items\n\n• [ ] buy milk", []),
        ("下一步工作会议在周三召开。\n1.加装护栏", []),
    ],
)
def test_items_under_a_head_of_measures_are_measures(text: str, measures: list[str]) -> None:
    assert stated(text, "measure") == measures


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("我所接群众汤志刚报警，称仓库起火。", ["汤志刚"]),
        ("接欧阳静报警，称仓库起火。", ["欧阳静"]),
        ("接到高速报警，立即出动。", []),
        ("接群众报警，称仓库起火。", []),
        ("接安全报告后组织整改。", []),
    ],
)
def test_who_rang_is_a_person_with_a_name(text: str, people: list[str]) -> None:
    assert stated(text, "person") == people


@pytest.mark.parametrize(
    ("text", "organisations"),
    [
        ("西河派出所接报后赶赴处置。", ["西河派出所"]),
        ("区应急管理局已经出发。", ["区应急管理局"]),
        ("会议听取了城北消防救援站的汇报。", ["城北消防救援站"]),
        ("他前往派出所随即报案。", []),
        ("请派出所立即处理。", []),
        ("派出所立即派员。", []),
        ("事发时当局已经知情。", []),
        ("这个结局已经注定。", []),
        ("The Harbour Police came at once.", ["harbour police"]),
        ("Nobody told Larkfield Housing Association.", ["larkfield housing association"]),
        ("Northgate Mountain Rescue brought her down.", ["northgate mountain rescue"]),
        ("Call Police at once. The Police came.", []),
        ("Search and Rescue went on all night.", []),
        ("The police and an ambulance came.", []),
    ],
)
def test_who_came_is_an_organisation_with_a_name(text: str, organisations: list[str]) -> None:
    assert stated(text, "organisation") == organisations


def test_what_did_not_happen_is_none_and_what_may_have_is_not() -> None:
    assert stated("事故没有造成人员死亡。", "dead") == ["0"]
    assert stated("事故没有造成人员受伤。", "injured") == ["0"]
    assert stated("有没有造成人员死亡还不清楚。", "dead") != ["0"]


def test_a_place_does_not_begin_with_who_says_it() -> None:
    assert stated("11月9日，群众报称云岭路12号发生火灾。", "place") == ["云岭路12号"]


MAIL = (
    "Subject: Re: fire\nFrom: Ann Cole <ann@example.org>\nTo: bo@example.org\n"
    "Date: Sun, 24 Mar 2024 09:12:00 +0000\n\n"
)


def test_a_mail_is_dated_by_what_happened_before_when_it_was_sent() -> None:
    said = f"{MAIL}On 23 March 2024 at 13:45 a fire broke out at Pier 4.\n"
    assert stated(said, "time") == ["2024-03-23T13:45"]
    assert stated(f"{MAIL}A fire broke out at Pier 4.\n", "time") == ["2024-03-24T09:12"]
    form = "Date: 24 March 2024\n\nThe fire of 23 March 2024 broke out at Pier 4.\n"
    assert stated(form, "time") == ["2024-03-24T00:00"]
