"""What may be quoted of what was read: subjects met, rivals, conflicts, and what is missing."""

import pytest

from kb_service.domain.facts import STANDING, ReportStatus
from kb_service.domain.questions import Subject, SubjectKind
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.services.comparing import contradict
from kb_service.services.evidence import ReadDocument, Shortfall, names_one, weigh
from tests.generation.passages import passage

KAFKA = Subject("Kafka", SubjectKind.NAME, TextSpan(0, 5), ("kafka",))


def read(words: str, confidence: float, document: str = "one") -> Reading:
    of = passage(words, document=document)
    return Reading(of, TextSpan(0, len(words)), confidence)


def documents(**given: ReadDocument) -> dict[str, ReadDocument]:
    return {name: ReadDocument((), 1.0) for name in ("one", "two", "three", "four")} | given


def test_the_surest_reading_on_the_subject_is_quoted_alone() -> None:
    readings = [read("a valve", 0.9), read("a hose", 0.5)]
    evidence = weigh(readings, documents(), is_named=True)
    assert evidence.readings == (readings[0],)
    assert evidence.shortfall is None


def test_a_reading_of_a_document_that_does_not_name_the_subject_is_never_quoted() -> None:
    readings = [read("a full disk", 0.99), read("a bad deploy", 0.6, "two")]
    evidence = weigh(readings, documents(one=ReadDocument((KAFKA,), 1.0)), is_named=True)
    assert evidence.readings == (readings[1],)


def test_a_subject_that_no_document_names_is_told_with_what_comes_nearest() -> None:
    readings = [read("a full disk", 0.99)]
    evidence = weigh(readings, documents(one=ReadDocument((KAFKA,), 1.0)), is_named=True)
    assert evidence.is_empty
    assert evidence.shortfall is Shortfall.SUBJECT_UNKNOWN
    assert evidence.missing == ("Kafka",)
    assert evidence.nearest == readings[0]


def test_a_subject_that_another_document_names_is_not_missing() -> None:
    mill = Subject("Mill", SubjectKind.NAME, TextSpan(0, 4), ("mill",))
    readings = [read("two", 0.9), read("five", 0.9, "two")]
    given = documents(one=ReadDocument((KAFKA,), 1.0), two=ReadDocument((mill,), 1.0))
    evidence = weigh(readings, given, is_named=True)
    assert (evidence.shortfall, evidence.missing) == (Shortfall.NO_ANSWER, ())


def test_readings_below_the_least_confidence_answer_nothing() -> None:
    evidence = weigh([read("a valve", 0.01)], documents(), is_named=True)
    assert (evidence.readings, evidence.shortfall) == ((), Shortfall.NO_ANSWER)
    assert weigh([], {}, is_named=False).shortfall is Shortfall.NO_ANSWER


def test_several_incidents_that_fit_a_vague_question_are_all_told() -> None:
    readings = [read("a valve", 0.9), read("a hose", 0.85, "two"), read("ice", 0.2, "three")]
    evidence = weigh(readings, documents(), is_named=False)
    assert evidence.shortfall is Shortfall.SEVERAL
    assert evidence.readings == tuple(readings[:2])


def test_the_document_that_says_a_rare_word_of_the_question_goes_first() -> None:
    readings = [read("a worn seal", 0.9), read("a bent shaft", 0.8, "two")]
    evidence = weigh(readings, documents(one=ReadDocument((), 0.5)), is_named=False)
    assert evidence.readings == (readings[1],)


def test_at_most_three_incidents_are_told() -> None:
    names = ("one", "two", "three", "four")
    readings = [read(f"cause {name}", 0.9, name) for name in names]
    assert len(weigh(readings, documents(), is_named=False).readings) == 3


def test_a_document_that_says_less_of_the_question_is_no_rival() -> None:
    readings = [read("a valve", 0.9), read("a hose", 0.89, "two")]
    evidence = weigh(readings, documents(two=ReadDocument((), 0.3)), is_named=False)
    assert evidence.readings == (readings[0],)


def test_other_values_of_one_incident_are_a_conflict_with_the_later_document_first() -> None:
    readings = [read("3人", 0.9), read("5人", 0.8, "two")]
    dated = documents(
        one=ReadDocument((), 1.0, "2026-0003"), two=ReadDocument((), 1.0, "2026-0005")
    )
    evidence = weigh(readings, dated, is_named=True)
    assert evidence.shortfall is Shortfall.CONFLICT
    assert [r.words for r in evidence.readings] == ["5人", "3人"]


def test_whether_something_is_so_is_told_as_the_later_document_has_it_first() -> None:
    readings = [read("the search goes on", 0.9), read("the search has ended", 0.8, "two")]
    given = documents(
        one=ReadDocument((), 1.0, "2024-05-03"), two=ReadDocument((), 1.0, "2024-05-09")
    )
    evidence = weigh(readings, given, is_named=True, asks_state=True)
    assert evidence.shortfall is None  # two wordings may agree: nobody says that they do not
    assert evidence.readings == (readings[1], readings[0])
    assert weigh(readings, given, is_named=True).readings == (readings[0],)
    denied = [readings[0], read("the search has not ended", 0.8, "two")]
    evidence = weigh(denied, given, is_named=True, asks_state=True)
    assert (evidence.shortfall, len(evidence.readings)) == (Shortfall.CONFLICT, 2)


def test_the_same_value_twice_is_no_conflict() -> None:
    readings = [read("2024年3月1日", 0.9), read("2024-03-01", 0.9, "two")]
    for is_named in (True, False):
        evidence = weigh(readings, documents(), is_named=is_named)
        assert (evidence.readings, evidence.shortfall) == ((readings[0],), None)


@pytest.mark.parametrize(
    ("one", "other", "is_conflict"),
    [
        ("3人", "5人", True),
        ("120万元", "150万元", True),
        ("42 minutes", "55 minutes", True),
        ("2024年3月1日", "2024年3月2日", True),
        ("3人溺亡", "4人死亡", True),
        ("三人溺亡", "4人死亡", True),
        ("about 42 min", "55 minutes", True),
        ("42 m", "55 minutes", False),
        ("造成4人死亡", "3人溺亡，5人受伤", True),
        ("3人受伤", "4人死亡", False),
        ("two people were injured", "three people were killed", False),
        ("two people died", "three people were killed", True),
        ("3人溺亡", "3人死亡", False),
        ("16人获救，3人溺亡", "4人死亡", True),
        ("3人", "三人", False),
        ("3人", "5小时", False),
        ("a corroded valve", "an overheated pump", False),
        ("3 March 2024", "the third of March", False),
    ],
)
def test_only_values_of_one_kind_and_unit_conflict(
    one: str, other: str, *, is_conflict: bool
) -> None:
    assert contradict(one, other) is is_conflict
    assert contradict(other, one) is is_conflict


def test_a_kind_of_event_alone_names_no_incident() -> None:
    fire = Subject("火灾", SubjectKind.EVENT, TextSpan(0, 2), ("fire",))
    assert not names_one((fire,))
    assert names_one((fire, KAFKA))


def test_across_languages_shared_words_weigh_nothing() -> None:
    readings = [read("a worn seal", 0.9), read("a bent shaft", 0.5, "two")]
    across = ReadDocument((), 0.0, is_across=True)
    assert weigh(readings, documents(one=across), is_named=False).readings == (readings[0],)


@pytest.mark.parametrize(
    ("of_own", "own", "is_told"),
    [(0.35, 0.0, False), (0.2, 0.0, True), (0.2, 0.35, False), (0.0, 0.0, True)],
)
def test_another_language_counts_where_nothing_was_read_nearly_as_surely_in_the_own_one(
    of_own: float, own: float, *, is_told: bool
) -> None:
    """Slippery rails were told of from a building site in the other language."""
    readings = [read("栏杆", 0.45), read("leaves", of_own, "two")]
    across = ReadDocument((), 0.0, is_across=True)
    evidence = weigh(readings, documents(one=across), is_named=False, own=own)
    assert bool(evidence.readings) is is_told


def test_a_document_of_another_subject_is_no_reason_against_another_language() -> None:
    readings = [read("栏杆", 0.45), read("leaves", 0.39, "two")]
    unmet = ReadDocument((KAFKA,), 0.2)
    given = documents(one=ReadDocument((), 0.0, is_across=True), two=unmet)
    assert weigh(readings, given, is_named=False).readings == (readings[0],)


def test_several_in_another_language_that_are_read_as_surely_are_not_told() -> None:
    given = documents(
        one=ReadDocument((), 0.0, is_across=True), two=ReadDocument((), 0.0, is_across=True)
    )
    readings = [read("阀门锈蚀", 0.45), read("轴断裂", 0.42, "two")]
    assert weigh(readings, given, is_named=False).is_empty
    assert weigh(readings[:1], given, is_named=False).readings == (readings[0],)
    surer = [read("阀门锈蚀", 0.7), read("轴断裂", 0.65, "two")]
    assert weigh(surer, given, is_named=False).shortfall is Shortfall.SEVERAL


def test_a_document_in_another_language_is_no_rival_but_of_others_in_it() -> None:
    readings = [read("a worn seal", 0.9), read("阀门锈蚀", 0.9, "two")]
    across = ReadDocument((), 0.0, is_across=True)
    apart = weigh(readings, documents(one=across), is_named=False)
    alike = weigh(readings, documents(one=across, two=across), is_named=False)
    assert (apart.shortfall, alike.shortfall) == (None, Shortfall.SEVERAL)


FOLLOW_UP, CORRECTED = STANDING[ReportStatus.FOLLOW_UP], STANDING[ReportStatus.CORRECTED]


@pytest.mark.parametrize(
    ("stated", "is_now"),
    [
        ("a loose flange", "a cracked weld"),
        ("施工机械击穿管壁", "接口处焊缝开裂"),
        ("about 26,000 homes", "31,000 homes"),
        ("预计当日18时前恢复", "次日2时30分恢复"),
    ],
)
def test_what_a_correction_says_goes_first_with_what_it_corrects_beside_it(
    stated: str, is_now: str
) -> None:
    given = documents(two=ReadDocument((), 0.4, standing=CORRECTED))
    readings = [read(stated, 0.9), read(is_now, 0.45, "two")]
    evidence = weigh(readings, given, is_named=True)
    assert evidence.shortfall is Shortfall.CONFLICT
    assert [r.words for r in evidence.readings] == [is_now, stated]


def test_a_correction_that_says_the_same_is_no_conflict() -> None:
    given = documents(two=ReadDocument((), 1.0, standing=CORRECTED))
    evidence = weigh([read("3人", 0.9), read("三人", 0.8, "two")], given, is_named=True)
    assert (evidence.shortfall, len(evidence.readings)) == (None, 1)


def test_a_further_report_goes_first_whatever_days_the_papers_name() -> None:
    earlier = ReadDocument((), 1.0, dated="2026-07-20")
    later = ReadDocument((), 0.5, standing=FOLLOW_UP)
    readings = [read("the search goes on", 0.9), read("the search is over", 0.8, "two")]
    told = weigh(readings, documents(one=earlier, two=later), is_named=True)
    assert [r.words for r in told.readings] == ["the search is over", "the search goes on"]
    assert told.shortfall is None


def test_a_further_report_that_states_another_value_of_one_unit_is_told_however_unsure() -> None:
    def stated(text: str, value: str, confidence: float, document: str) -> Reading:
        of, start = passage(text, document=document), text.index(value)
        return Reading(of, TextSpan(start, start + len(value)), confidence)

    first = stated("浊度最高达到1.8 NTU。", "1.8", 0.9, "one")
    later = ReadDocument((), 0.8, standing=FOLLOW_UP)
    told = stated("4时08分达到峰值2.3\nNTU。", "2.3", 0.3, "two")
    evidence = weigh([first, told], documents(two=later), is_named=True)
    assert evidence.shortfall is Shortfall.CONFLICT
    assert [r.words for r in evidence.readings] == ["2.3", "1.8"]
    other = stated("影响7,150户居民。", "7,150", 0.3, "two")
    assert weigh([first, other], documents(two=later), is_named=True).readings == (first,)
    assert weigh([first, told], documents(), is_named=True).readings == (first,)


def test_of_no_incident_in_particular_a_further_report_of_another_one_is_no_rival() -> None:
    given = documents(two=ReadDocument((), 0.5, standing=CORRECTED))
    readings = [read("a valve", 0.9), read("a hose", 0.89, "two")]
    assert weigh(readings, given, is_named=False).readings == (readings[0],)


def test_of_equal_readings_the_one_in_the_language_of_the_question_goes_first() -> None:
    readings = [read("阀门锈蚀", 0.61), read("a bent shaft", 0.59, "two")]
    given = documents(one=ReadDocument((), 0.0, is_across=True))
    assert weigh(readings, given, is_named=True).readings[0] == readings[1]
    assert weigh(readings[:1], given, is_named=True).readings == (readings[0],)


CORRECTED = STANDING[ReportStatus.CORRECTED]


def test_a_correction_of_the_best_document_is_told_though_the_question_names_no_incident() -> None:
    readings = [read("2 people", 0.88), read("3 people", 0.5, "two")]
    corrects = ReadDocument((), 0.6, standing=CORRECTED, names=frozenset({"one"}))
    evidence = weigh(readings, documents(two=corrects), is_named=False)
    assert evidence.shortfall is Shortfall.CONFLICT
    assert [reading.words for reading in evidence.readings] == ["3 people", "2 people"]


def test_a_correction_of_some_other_paper_is_not_told() -> None:
    readings = [read("2 people", 0.88), read("3 people", 0.5, "two")]
    corrects = ReadDocument((), 0.6, standing=CORRECTED, names=frozenset({"three"}))
    assert weigh(readings, documents(two=corrects), is_named=False).readings == (readings[0],)


def test_a_document_that_shares_no_word_is_not_quoted_where_another_shares_most() -> None:
    readings = [read("a lump of coating", 0.82), read("a blade", 0.1, "two")]
    apart = ReadDocument((), 0.0)
    evidence = weigh(readings, documents(one=apart), is_named=False)
    assert evidence.is_empty and evidence.is_elsewhere
    assert evidence.nearest == readings[1]
    weak = documents(one=apart, two=ReadDocument((), 0.2))
    assert weigh(readings, weak, is_named=False).readings == (readings[0],)


def test_a_document_that_says_far_less_of_the_question_is_not_quoted() -> None:
    readings = [read("Ana Reyes", 0.9), read("Leo Brandt", 0.5, "two")]
    less = documents(one=ReadDocument((), 0.35), two=ReadDocument((), 0.7))
    assert weigh(readings, less, is_named=False).readings == (readings[1],)
    near = documents(one=ReadDocument((), 0.5), two=ReadDocument((), 0.7))
    assert readings[0] in weigh(readings, near, is_named=False).readings


@pytest.mark.parametrize(
    ("confidence", "farther", "is_told"),
    [(0.3, 0.02, True), (0.3, 0.07, False), (0.55, 0.07, True), (0.55, 0.1, False)],
)
def test_what_is_read_in_another_language_counts_by_how_near_its_text_is(
    confidence: float, farther: float, *, is_told: bool
) -> None:
    given = documents(one=ReadDocument((), 0.0, is_across=True, farther=farther))
    evidence = weigh([read("a valve", confidence)], given, is_named=False)
    assert bool(evidence.readings) is is_told
