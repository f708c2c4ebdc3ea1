"""How a passage is read: behind what its document is about, without furniture and others' rows."""

from datetime import date

from kb_service.domain.queries import Passage
from kb_service.language.asked import parse_question
from kb_service.services.evidence import Evidence
from kb_service.services.finding import Finding, is_of_its_own
from kb_service.services.named import named_in
from kb_service.services.shown import has_clause, introduced, with_what_is_meant
from tests.generation.passages import passage

TODAY = date(2026, 1, 1)
ASKED = parse_question("What was the cause of IR-2025-0042?")
NAMED = named_in(ASKED, TODAY)


def test_the_title_says_which_subjects_the_document_meets() -> None:
    of = passage("The cause was a hose.", title="Final report")
    assert introduced(of, NAMED, ()).title == "Final report IR-2025-0042"


def test_what_the_document_does_not_meet_or_its_title_says_already_is_not_added() -> None:
    of = passage("The cause was a hose.", title="Final report")
    assert introduced(of, NAMED, NAMED.subjects).title == "Final report"
    titled = passage("The cause was a hose.", title="Report IR-2025-0042")
    assert introduced(titled, NAMED, ()).title == "Report IR-2025-0042"


def test_furniture_of_a_page_is_not_read() -> None:
    of = passage("The cause was a hose.\n\nPage 3 of 9\n\nNobody was hurt.")
    (kept,) = with_what_is_meant([of], ASKED, NAMED)
    assert [u.span.of(of.text) for u in kept.units] == ["The cause was a hose.", "Nobody was hurt."]


def test_rows_of_others_are_not_read_whichever_passage_has_the_one_that_is_meant() -> None:
    of = passage("Name: Kay Hollis; Site: Redford\nName: Lee Brandt; Site: Millport\n")
    later = passage("Name: Ann Ray; Site: Ashby\nName: Bo Lund; Site: Oakham\n", number=2)
    other = passage("Name: Jo Pike; Site: Thorpe\nName: Al Reed; Site: Cromer", "", 3, "doc_2")
    asked = parse_question("At which site is Lee Brandt?")
    kept = with_what_is_meant([of, later, other], asked, named_in(asked, TODAY))
    words = [[u.span.of(p.text) for u in p.units] for p in kept]
    assert words[0] == ["Name: Lee Brandt; Site: Millport"]
    assert [p.number for p in kept] == [1, 3] and len(words[1]) == 2


def test_of_a_clause_that_is_named_by_its_number_nothing_else_is_read() -> None:
    rules = passage("4.1 Three points.\n\n4.2 Within 30 minutes. At most 10 mg.\n\n4.3 Hourly.")
    other = passage("At most 20 mg were found.", "Report", 2, "doc_2")
    asked = parse_question("What is the most under section 4.2?")
    (kept,) = with_what_is_meant([rules, other], asked, named_in(asked, TODAY))
    words = [u.span.of(kept.text) for u in kept.units]
    assert words == ["4.2 Within 30 minutes.", "At most 10 mg."]
    assert has_clause([rules, other], asked) and not has_clause([other], asked)


OUTAGE = passage("The cause was a certificate. It took two hours to mend.", title="Outage")
MEETING = passage("The anti-fraud meeting was led by Kay Hollis.", "Minutes", 2, "doc_2")


def found(question: str, *passages: Passage) -> Finding:
    return Finding(parse_question(question), passages, Evidence(()), None)


def is_own(question: str, other: Passage) -> bool:
    asked = parse_question(question)
    carried, typed = found(question, OUTAGE), found(question, other, OUTAGE)
    idf = dict.fromkeys(asked.terms, 1.0)
    return is_of_its_own(asked, ["doc_1"], [carried], [typed], idf)


def test_words_that_only_another_document_has_bring_a_new_subject() -> None:
    assert is_own("Who led the anti-fraud meeting?", MEETING)


def test_words_that_the_documents_of_the_conversation_have_bring_none() -> None:
    assert not is_own("How many hours did it take to mend?", MEETING)
    assert not is_own("What was the cause?", passage("The cause was a hose.", "Fire", 3, "doc_3"))


def test_where_no_document_is_meant_nothing_is_of_its_own() -> None:
    asked = parse_question("Who led the anti-fraud meeting?")
    carried, typed = found("Who led it?", OUTAGE), found("Who led it?", MEETING)
    idf = dict.fromkeys(asked.terms, 1.0)
    assert not is_of_its_own(asked, [], [carried], [typed], idf)


def test_a_document_in_another_language_brings_no_new_subject() -> None:
    assert not is_own(
        "Who led the meeting?", passage("会议由郑某主持。meeting led", "纪要", 4, "doc_4")
    )
