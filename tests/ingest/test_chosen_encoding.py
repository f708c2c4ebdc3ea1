"""A text is read in the encoding that a person chose, whatever its bytes say."""

from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.sandbox import SandboxedLoader
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.ports import Loader

WORDS = "機房冷卻水洩漏，無人受傷。"


def read(path: Path, media_type: str, loader: Loader | None = None) -> ParsedDocument:
    loader = loader or DocumentLoader(ParseLimits())
    return next(
        found
        for found in loader.load(path, path.name, media_type)
        if isinstance(found, ParsedDocument)
    )


@pytest.mark.parametrize(
    ("name", "media_type", "form"),
    [
        ("a.txt", types.PLAIN_TEXT, "{}"),
        ("a.md", types.MARKDOWN, "# A\n\n{}"),
        ("a.csv", types.CSV, "a,b\n1,{}\n"),
        ("a.json", types.JSON, '{{"a": "{}"}}'),
        ("a.html", types.HTML, '<html><meta charset="koi8-r"><p>{}</p></html>'),
    ],
)
def test_the_choice_wins_over_guess_and_declaration(
    tmp_path: Path, name: str, media_type: str, form: str
) -> None:
    path = tmp_path / name
    path.write_bytes(form.format(WORDS).encode("big5"))
    found = read(path, f"{media_type}; charset=big5hkscs")
    assert WORDS in found.text
    assert found.metadata["encoding"] == "big5hkscs"
    assert found.losses == ()


def test_bytes_that_are_none_of_its_characters_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"valve" + b"\xff\xff" + "drückt".encode("cp1252"))
    found = read(path, "text/plain; charset=utf-8")
    assert (found.text.startswith("valve"), found.metadata["bytes_replaced"]) == (True, "3")


def test_a_file_that_says_its_encoding_itself_is_read_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<?xml version='1.0' encoding='utf-8'?><a>{WORDS}</a>", encoding="utf-8")
    assert WORDS in read(path, f"{types.XML}; charset=cp1252").text


def test_the_choice_reaches_the_parsing_child(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(WORDS.encode("big5"))
    with SandboxedLoader(ParseLimits()) as loader:
        assert read(path, "text/plain; charset=big5hkscs", loader).text == WORDS
