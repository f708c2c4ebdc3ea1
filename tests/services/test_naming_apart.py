"""Documents that are cited can be told apart, also where their titles agree."""

from datetime import date

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.services.naming_apart import distinguishing_lines, named_apart
from tests.services.answer_fakes import FakeLibrary


def passage(number: int, title: str) -> Passage:
    span = TextSpan(0, 4)
    return Passage(number, number, f"doc_{number}", number, "", title, span, "Fire", 1.0)


def test_documents_of_one_title_get_the_first_line_that_is_theirs_alone() -> None:
    titles = {1: "Report", 2: "report ", 3: "Report", 4: "Other"}
    texts = {
        1: "Report\nCity\nHarbour fire\nEnd",
        2: "Report\nCity\nMill fire",
        3: "Report\nTown\nMill fire",
        4: "Report",
    }
    lines = distinguishing_lines(titles, texts)
    assert lines == {1: "Harbour fire", 2: "City", 3: "Town"}


def test_documents_that_begin_alike_have_no_line_of_their_own() -> None:
    assert distinguishing_lines({1: "Report", 2: "Report"}, {1: "Same", 2: "Same"}) == {}


def test_passages_get_the_date_and_the_line_of_their_document() -> None:
    texts = {"a": "Notice\n3 May 2024", "b": "Notice\n9 June 2024"}
    found = named_apart([passage(1, "Notice"), passage(2, "Notice")], FakeLibrary(texts))
    assert [one.document_date for one in found] == [date(2024, 5, 3), date(2024, 6, 9)]
    assert [one.document_line for one in found] == ["3 May 2024", "9 June 2024"]


def test_nothing_is_read_for_no_passages() -> None:
    assert named_apart((), FakeLibrary({})) == ()
