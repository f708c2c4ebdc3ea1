"""Whoever asks is told as what the question was read."""

from datetime import date

from kb_service.domain.answers import Understood
from kb_service.domain.queries import Filters
from kb_service.domain.times import Period
from kb_service.language.asked import parse_question
from kb_service.services.follow_ups import Carried, Rewritten, rewrite
from kb_service.services.named import named_in
from kb_service.services.understanding import understood_as

SUNDAY = date(2026, 11, 29)


def read(full: Rewritten, filters: Filters | None = None) -> Understood:
    return understood_as(full, named_in(full.question, SUNDAY), filters or Filters())


def test_a_question_that_says_it_all_needs_no_line() -> None:
    found = read(Rewritten(parse_question("SG-2024-003的原因是什么？")), Filters(tags=("火灾",)))
    assert found == Understood(
        "SG-2024-003的原因是什么？", ("SG-2024-003",), filters=Filters(tags=("火灾",))
    )


def test_words_for_days_are_told_as_the_days_they_mean() -> None:
    found = read(Rewritten(parse_question("远航物流园上周三发生了什么？")))
    assert found.about == "2026年11月18日"
    assert found.time == Period(date(2026, 11, 18), date(2026, 11, 18))
    assert found.subjects == ("远航物流园",)


def test_what_was_carried_and_which_days_are_meant_stand_in_one_line() -> None:
    before = Carried(parse_question("Who led Kafka's repair?"))
    found = read(rewrite(parse_question("What did he do last Wednesday?"), before))
    assert found.about == "about Kafka, 18 November 2026"
    assert (found.carried, found.subjects) == (("Kafka",), ("Kafka",))
