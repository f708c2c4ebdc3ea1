"""Mails that quote older ones: words without marks, and a section for each that is older."""

from pathlib import Path

import pytest

from ingest.draft import DraftDocument
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import MAIL
from ingest.quoted_mail import add_mail_text
from kb_service.domain.documents import ParsedDocument

NEWER = "The count was wrong: nine crates are missing, not six."
OLDER = (
    "> Dear Ilse,\n>\n> after the flood of Monday six crates were\n> missing from the east store.\n"
)


def read(text: str) -> ParsedDocument:
    draft = DraftDocument("a.eml", 10_000)
    add_mail_text(draft, text)
    draft.end_page()
    return draft.finish()


def headed(document: ParsedDocument) -> list[tuple[int, str]]:
    return [(heading.level, heading.span.of(document.text)) for heading in document.headings]


@pytest.mark.parametrize(
    "head",
    [
        "On Tue, 4 May 2027 at 09:12, Ruben Aalto wrote:",
        "Ruben Aalto <r.aalto@stores.example> wrote on 2027-05-04:",
        "On Tue, 4 May 2027 at 09:12, Ruben Aalto <r.aalto@stores.example>\nwrote:",
        "在2027年5月4日 09:12，阿尔托写道：",
    ],
)
@pytest.mark.parametrize("is_quoted", [False, True])
def test_an_older_mail_is_a_section_headed_by_who_wrote_it(head: str, *, is_quoted: bool) -> None:
    own = "".join(f"> {line}\n" for line in head.split("\n")) + ">\n" if is_quoted else f"{head}\n"
    document = read(f"{NEWER}\n\nIlse\n\n{own}{OLDER}")
    assert headed(document) == [(1, head)]
    assert document.text.split("\n\n") == [
        NEWER, "Ilse", head, "Dear Ilse,",
        "after the flood of Monday six crates were\nmissing from the east store.",
    ]  # fmt: skip


def test_each_older_mail_lies_below_the_one_that_quotes_it() -> None:
    inner = "> On Mon, 3 May 2027, Kari Noor wrote:\n>> The water is in the store.\n"
    document = read(f"{NEWER}\n\nOn Tue, 4 May 2027, Ruben Aalto wrote:\n{OLDER}>\n{inner}")
    assert headed(document) == [
        (1, "On Tue, 4 May 2027, Ruben Aalto wrote:"),
        (2, "On Mon, 3 May 2027, Kari Noor wrote:"),
    ]
    assert document.text.endswith("wrote:\n\nThe water is in the store.")


def test_a_mark_stays_where_the_newer_mail_goes_on_between_the_lines() -> None:
    asked = "On Tue, 4 May 2027, Ruben Aalto wrote:\n> Were they insured,\n> all six?\n"
    document = read(f"{asked}\nThey were.\n\n> And the doors?\n\nShut.\n")
    assert headed(document) == []
    assert document.text.split("\n\n")[-4:] == [
        "> Were they insured,\nall six?", "They were.", "> And the doors?", "Shut.",
    ]  # fmt: skip


def test_a_mark_stays_where_nobody_is_named() -> None:
    document = read(f"{NEWER}\n\n{OLDER}")
    assert headed(document) == []
    assert document.text.split("\n\n")[1:] == [
        "> Dear Ilse,",
        "> after the flood of Monday six crates were\nmissing from the east store.",
    ]


def test_marks_stay_where_the_heading_above_is_of_another_mail() -> None:
    head = "On 5 March 2024 Anna Cole wrote:"
    document = read(
        f"{head}\n> Yes, two were hurt.\n>\n>> Was anyone hurt in hall 4?\n>> I counted three.\n"
        "> One more came later.\n"
    )
    assert document.text.split("\n\n") == [
        head, "Yes, two were hurt.", ">> Was anyone hurt in hall 4?\nI counted three.",
        "One more came later.",
    ]  # fmt: skip


def test_a_mail_that_goes_on_below_an_older_one_is_not_the_older_ones() -> None:
    outer, inner = "On 5 March 2024 Anna Cole wrote:", "On 4 March 2024 Bo Lind wrote:"
    document = read(f"{outer}\n> Two.\n>\n> {inner}\n>> How many?\n> Both are well.\n")
    assert headed(document) == [(1, outer), (2, inner)]
    assert document.text.split("\n\n")[-2:] == ["How many?", "> Both are well."]


@pytest.mark.parametrize("text", ["a > b\n\nif x >5 or >> 3", "One.\n\nTwo:\n- three", ""])
def test_marks_within_lines_are_words(text: str) -> None:
    assert read(text).text == text


def test_no_word_of_a_file_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    body = f"{NEWER}\n\nOn Tue, 4 May 2027, Ruben Aalto wrote:\n{OLDER}> > > Kari: shut it.\n"
    path.write_text(f"From: i@x.example\nSubject: Crates\n\n{body}")
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, MAIL)
    assert isinstance(document, ParsedDocument)
    assert "words_missing" not in document.metadata
    words = body.replace(">", " ").split()
    assert [word for word in document.text.split() if word != ">>>"][-len(words) :] == words
