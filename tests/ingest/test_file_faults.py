"""Whose fault it is: a file is called corrupt for errors that only a damaged file causes."""

import csv
import socket
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import ParseError

import pytest
from lxml import etree
from pypdfium2 import PdfiumError

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.nursery import Nursery
from ingest.plain_text import TextLoader
from ingest.sandbox import Sandbox
from kb_service.domain.errors import DocumentError, KbError, ParserFailed, is_same_death
from tests.ingest import pdf_samples


def failing(error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> KbError:
    """How a load ends whose loader raises the error."""

    def fail(*_arguments: object) -> Iterator[object]:
        raise error

    monkeypatch.setattr(TextLoader, "load", fail)
    path = tmp_path / "a.txt"
    path.write_text("words")
    with pytest.raises(KbError) as caught:
        list(DocumentLoader(ParseLimits()).load(path, "a.txt", types.PLAIN_TEXT))
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        KeyError("cell"), AttributeError("text"), ImportError("half-way"), RecursionError("deep"),
        TypeError("None"), ValueError("number"), IndexError("row"), AssertionError("sure"),
        csv.Error("field larger than field limit (19)"), NotImplementedError("later"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_failure_of_our_own_code_is_not_blamed_on_the_file(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failed = failing(error, monkeypatch, tmp_path)
    assert isinstance(failed, ParserFailed)
    assert failed.code == "parser_failed"
    assert failed.details is not None
    assert failed.details["exception"] == type(error).__name__
    assert str(failed.details["raised_at"]).startswith("test_file_faults.py:")


@pytest.mark.parametrize(
    "error",
    [
        zipfile.BadZipFile("torn"), zlib.error("torn"), EOFError("torn"), ParseError("torn"),
        etree.XMLSyntaxError("torn", 1, 1, 1), PdfiumError("torn"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_only_a_damaged_file_causes_is_its_own_fault(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failed = failing(error, monkeypatch, tmp_path)
    assert isinstance(failed, DocumentError)
    assert failed.code == "corrupt_document"


@pytest.mark.parametrize("media_type", [types.DOCX, types.PPTX, types.XLSX])
def test_a_package_without_its_parts_is_corrupt(tmp_path: Path, media_type: str) -> None:
    path = tmp_path / "a"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("other.xml", "<a/>")
    with pytest.raises(DocumentError) as caught:
        list(DocumentLoader(ParseLimits()).load(path, "a", media_type))
    assert caught.value.code == "corrupt_document"


def test_a_limit_of_the_process_is_not_the_fault_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("no,what\n1,a cell of more than twenty characters\n")
    limit = csv.field_size_limit(20)
    try:
        with pytest.raises(ParserFailed, match="field limit"):
            list(DocumentLoader(ParseLimits()).load(path, "a.csv", types.CSV))
    finally:
        csv.field_size_limit(limit)


def test_after_a_failure_of_our_own_the_next_file_gets_a_process_with_nothing_of_it(
    tmp_path: Path,
) -> None:
    path = pdf_samples.rotated(tmp_path / "a.pdf", 0)
    wrong = {"command": "render", "path": str(path), "page_number": "one", "scale": 1}
    wrong |= {"boxes": [], "hidden": []}
    sandbox = Sandbox(ParseLimits(timeout_s=60))
    try:
        with pytest.raises(ParserFailed, match="TypeError"):
            list(sandbox.run(wrong, "a.pdf"))
        assert sandbox._nursery is None
        *_, result = sandbox.run(wrong | {"page_number": 1}, "a.pdf")
        assert isinstance(result, Path)
    finally:
        sandbox.close()


def test_an_import_that_fails_is_no_fault_of_the_file_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        nursery = Nursery(theirs, tmp_path)
        request = {"command": "load", "media_type": types.PLAIN_TEXT, "name": "a.txt"}
        imports = iter([ImportError("half-way"), None])

        def prepare(_media_type: str) -> None:
            if error := next(imports):
                raise error

        monkeypatch.setattr("ingest.nursery.prepare", prepare)
        with pytest.raises(ParserFailed, match="half-way"):
            nursery._make_ready(request)
        nursery._make_ready(request)
        nursery._make_ready(request)  # ready now: nothing is imported twice
        assert list(imports) == []


def test_two_deaths_are_the_same_when_code_and_place_agree() -> None:
    first = ParserFailed("a", details={"exception": "KeyError", "raised_at": "tables.py:7"})
    again = ParserFailed("b", details={"exception": "KeyError", "raised_at": "tables.py:7"})
    other = ParserFailed("a", details={"exception": "KeyError", "raised_at": "tables.py:8"})
    assert is_same_death(first.as_dict(), again)
    assert not is_same_death(first.as_dict(), other)
    assert not is_same_death(None, first)
