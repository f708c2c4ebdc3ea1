"""The comparison of stored texts with dumb readings tells what is lost, and who said so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.plain_readings import READERS, Reading, plain_reading
from benchmarks.word_coverage import lost_words, outcome_of, table
from kb_service.domain.documents import Page, PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.spans import TextSpan
from tests.ingest.format_samples import WORDS, good_files

BESIDE = {"application/pdf", "application/rtf"}
"""Read by libraries that the project does not have."""


class Fixed:
    """A loader that says the same of every file."""

    def __init__(self, text: str, **metadata: str) -> None:
        page = Page(1, TextSpan(0, len(text)), PageKind.TEXT)
        self._document = ParsedDocument(text, (page,), metadata=metadata)

    def load(self, path: Path, name: str, media_type: str) -> Iterator[ParsedDocument]:
        if not self._document.text:
            raise DocumentError(name, code="corrupt_document")
        yield self._document


@pytest.mark.parametrize(
    ("said", "stored", "lost"),
    [
        ("the brake is not safe", "the brake is safe", "not"),
        ("not a not", "not a", "not"),
        ("in vestig ation", "investigation", ""),
        ("investigation", "in vestig ation", ""),
        ("钢缆没有断", "钢缆断", "没有"),
    ],
)
def test_a_word_that_is_said_less_often_is_lost(said: str, stored: str, lost: str) -> None:
    found, *_ = lost_words(Reading(said), stored)
    assert "".join(found.elements()) == lost


@pytest.mark.parametrize(
    ("loader", "verdict"),
    [
        (Fixed("The brake is safe."), "SILENT"),
        (Fixed("The brake is safe.", words_missing="1 of 5: not"), "named"),
        (Fixed("The brake is not safe.", words_missing="1 of 5: x"), "false alarm"),
        (Fixed("The brake is not safe."), "whole"),
        (Fixed(""), "corrupt_document"),
    ],
)
def test_a_loss_is_silent_where_the_document_does_not_name_it(
    tmp_path: Path, loader: Fixed, verdict: str
) -> None:
    path = tmp_path / "a.html"
    path.write_text("<p>The brake is <b>not</b> safe.</p><script>x</script>")
    outcome = outcome_of(path, loader)
    assert outcome.verdict == verdict
    silent = "1" if verdict == "SILENT" else "0"
    assert list(table([outcome]))[-1].split(" | ")[6] == silent


def test_every_format_has_a_reading(tmp_path: Path) -> None:
    files = good_files(tmp_path)
    for media_type in sorted(set(files) & set(READERS) - BESIDE):
        reading = plain_reading(files[media_type], media_type)
        assert WORDS in f"{reading.text} {reading.once}", media_type
