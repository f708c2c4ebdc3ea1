"""Mark-up is taken out of a text in one pass, whatever opens in it and never ends."""

import re
from collections.abc import Callable

import pytest

from ingest.completeness import _html_text
from ingest.encodings import declared_in
from ingest.mail import _understood, _words_in
from ingest.markup import end_named, without, without_remarks, without_tags, without_unseen
from ingest.media_types import PLAIN_TEXT, detect_media_type
from ingest.package_count import OPEN_DOCUMENT, SHEETS, SLIDES, WORD_FILE, _strings, _used_strings
from tests.ingest.growth import growth
from tests.ingest.word_samples import paragraph, run

OPENINGS = [
    "<", "<a", "<!--", "<?", "<![CDATA[", "<!DOCTYPE ", "<script", "<script>", "<style>", "<p ",
    "<w:del>", "<w:del ", "<w:del <w:del/>", "<w:r>", "<w:r><w:vanish>", "<w:r></w:r>", "> \n",
    "<v>", "<comments", "<author>", '<a:fld type="slidenum" ', '<a:fld type="slidenum">',
    "<text:a-source>", "<a:v>", "&", "]]>", "<si>", '<c t="s">', '<c t="s"><f>',
]  # fmt: skip
SIZE = 6_000
WIDE = 3.5
"""Times the cost of eight small texts: 1 where it is the length's, 8 where it is its square's."""


def test_what_lies_from_an_opening_to_its_end_goes_and_what_does_not_end_stays() -> None:
    assert without_tags("a<b>c</b>d <e") == "acd <e"
    assert without_tags("a<b>c", " ") == "a c"
    assert without_remarks("a<!-- x > -->b<?x?>c<![CDATA[d<]]>e<!doctype html>f<!-- g") == (
        "abcd<ef<!-- g"
    )
    assert without_unseen("a<SCRIPT x='<'>b</script >c<title>d</title>e<style>f") == "ace<style>f"


def test_only_what_holds_a_sign_goes_where_one_is_asked_for() -> None:
    opening = OPEN_DOCUMENT._opening
    assert opening.search("<text:alphabetical-index-source x='y'>")
    text = "<r>kept</r><r><x/>gone</r><r>kept too"
    runs = re.compile("<r>")
    found = without(text, runs, lambda _: end_named("r"), if_holds="<x/>")
    assert found == "<r>kept</r><r>kept too"


def test_hidden_runs_fields_of_the_program_and_heads_of_sheets_are_not_counted() -> None:
    hidden = run("not seen", "<w:vanish/>")
    assert WORD_FILE.text_of(paragraph(run("seen") + hidden).encode()).split() == ["seen"]
    fields = '<a:fld id="1" type="datetime1"><a:t>1 May</a:t></a:fld><a:fld type="x">kept</a:fld>'
    assert SLIDES.text_of(fields.encode()).split() == ["kept"]
    sheet = "<x:oddFooter>one</x:oddFooter><v>2</v><f/><evenHeader>three</evenHeader><t>four</t>"
    assert SHEETS.text_of(sheet.encode()).split() == ["four"]
    threads = "<comments><author>tc={1}</author><text>again</text></comments>"
    assert SHEETS.text_of(threads.encode()) == ""


def test_shared_strings_that_cells_name_are_told_with_and_without_formulas() -> None:
    cells = (
        b'<c r="A1" t="s"><v>1</v></c><c t="s"><f>A&lt;B</f><v>3</v></c><c t="s"><f/><v>4</v></c>'
    )
    assert _used_strings(iter([cells, b'<c t="n"><v>9</v></c>'])) == {1, 3, 4}
    assert list(_strings(b"<si><t>a</t></si><si/><si x='y'>b</si><si>c")) == [b"<t>a</t>", b"b"]


def read_as_mail(text: str) -> object:
    return _words_in(_understood(b"Content-Type: text/html\r\n\r\n" + text.encode()), "a")


READERS: dict[str, Callable[[str], object]] = {
    "html": _html_text,
    "mail": read_as_mail,
    "word": lambda text: WORD_FILE.text_of(text.encode()),
    "slides": lambda text: SLIDES.text_of(text.encode()),
    "sheets": lambda text: SHEETS.text_of(text.encode()),
    "odt": lambda text: OPEN_DOCUMENT.text_of(text.encode()),
    "strings": lambda text: list(_strings(text.encode())),
    "cells": lambda text: _used_strings(iter([text.encode()])),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("opening", OPENINGS)
def test_what_never_ends_costs_its_length(reader: str, opening: str) -> None:
    assert growth(lambda size: READERS[reader](opening * (size // len(opening))), SIZE) < WIDE


def test_white_space_between_elements_costs_its_length() -> None:
    assert growth(lambda size: WORD_FILE.text_of(b"<a>" + b"\n" * size), SIZE) < WIDE


def test_a_declaration_that_never_ends_costs_its_length() -> None:
    for begun in (b"<meta ", b"<?xml "):
        assert growth(lambda size, b=begun: declared_in(b * (size // 6)), SIZE) < WIDE  # type: ignore[misc]
    assert growth(lambda size: declared_in(b"<meta charset=" + b" " * size), SIZE) < WIDE


def test_many_remarks_before_a_text_cost_their_length() -> None:
    text = b"<!---->" * 3_000 + b"The brake is not safe."
    assert detect_media_type("a.txt", text) == PLAIN_TEXT
