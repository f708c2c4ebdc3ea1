"""The count of what a file holds, beside loaders that drop things."""

import zipfile
from collections import Counter
from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.completeness import counted_types, missing_words, told, without_other_cuts
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.pdf import PdfLoader
from ingest.pdf_count import DrawnLetters
from kb_service.domain.documents import PageReport, ParsedDocument
from tests.ingest.format_samples import good_files
from tests.ingest.word_samples import paragraph, run, word_file

BINARY = frozenset((types.XLSB, types.XLS, types.MSG))


def read(path: Path, kind: str) -> ParsedDocument:
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, kind)
    assert isinstance(document, ParsedDocument)
    return document


def missing(path: Path, kind: str, text: str) -> tuple[Counter[str], int]:
    """What of a file is not in a text; of a PDF letters."""
    if kind != types.PDF:
        return missing_words(path, "a", kind, text)
    drawn = DrawnLetters()
    assert list(PdfLoader(ParseLimits(), drawn=drawn).load(path, "a", kind))
    return drawn.missing(text)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return good_files(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("kind", sorted(counted_types()))
def test_nothing_is_missing_from_what_the_loader_read(kind: str, files: dict[str, Path]) -> None:
    document = read(files[kind], kind)
    assert "words_missing" not in document.metadata
    lost, num_words = missing(files[kind], kind, document.text)
    assert not lost
    assert num_words > 0


@pytest.mark.parametrize("kind", sorted(counted_types()))
def test_a_word_that_a_loader_drops_is_missed(kind: str, files: dict[str, Path]) -> None:
    text = read(files[kind], kind).text
    dropped = "fuel" if kind == types.PDF else "pump"
    assert dropped in text
    lost, num_words = missing(files[kind], kind, text.replace(dropped, ""))
    assert told(lost, num_words)
    assert set(lost) <= (set(dropped) if kind == types.PDF else {dropped})


def test_a_loader_that_drops_a_line_of_a_page_makes_its_document_partial(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.pdf_page.in_reading_order", lambda lines: lines[:-1])
    document = read(files[types.PDF], types.PDF)
    assert document.metadata["words_missing"]
    assert not PageReport.of(document.pages).is_complete


def test_a_loader_that_drops_words_makes_its_document_partial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(
        word_file(paragraph(run("The brake is ") + run("not", "<w:b/>") + run(" safe.")))
    )
    assert PageReport.of(read(path, types.DOCX).pages).is_complete
    monkeypatch.setattr("ingest.word._is_hidden", lambda part: part.find(".//{*}b") is not None)
    document = read(path, types.DOCX)
    assert document.text == "The brake is  safe."
    assert document.metadata["words_missing"] == "1 of 5: not"
    assert [page.reason for page in document.pages] == ["words_missing"]
    assert not PageReport.of(document.pages).is_complete


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"<w:del>{run('gone')}</w:del>", ""), (run("gone", "<w:vanish/>"), ""),
        ("<w:r><w:instrText>PAGE</w:instrText></w:r>", ""),
        (run("inves") + run("tigation"), "investigation"),
        (run("a") + "<w:r><w:tab/></w:r>" + run("b"), "a b"), (run("x &amp; y"), "x y"),
    ],
)  # fmt: skip
def test_what_word_shows_is_counted_and_nothing_else(tmp_path: Path, body: str, words: str) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(word_file(paragraph(body)))
    missing, num_words = missing_words(path, "a", types.DOCX, "")
    assert sorted(missing.elements()) == sorted(words.split())
    assert num_words == len(words.split())


def test_line_ends_between_elements_are_no_words_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    parts = "\n  ".join(["<w:r>", "<w:t>inves</w:t>", "</w:r>", "<w:r>", "<w:t>tigation</w:t>"])
    path.write_bytes(word_file("", footer1=f"<w:p>\n{parts}\n</w:r>\n</w:p>"))
    assert missing_words(path, "a", types.DOCX, "investigation") == (Counter(), 1)


@pytest.mark.parametrize(
    ("cells", "missing"),
    [
        ('<c t="s"><v>1</v></c>', {"brake"}),
        ('<c t="s" r="A1"><f>A1</f><v> 0 </v></c>', {"rope"}),
        ("<c t='s'><v>0</v></c><x:c s='4' t='s'><x:v>1</x:v></x:c>", {"rope", "brake"}),
        ('<c t="s"><odd/><v>1</v></c>', {"rope", "brake", "left"}),
        ('<c t="n"><v>1</v></c>', set()),
    ],
)
def test_a_string_that_no_cell_refers_to_is_not_missed(
    tmp_path: Path, cells: str, missing: set[str]
) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        strings = "".join(f"<si><t>{word}</t></si>" for word in ("rope", "brake", "left"))
        package.writestr("xl/sharedStrings.xml", f"<sst>{strings}</sst>")
        package.writestr("xl/worksheets/sheet1.xml", f"<row>{cells}</row>")
    assert set(missing_words(path, "a", types.XLSX, "")[0]) == missing


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<text:table-of-content-source>gone<x/></text:table-of-content-source>", ""),
        ("<text:note-citation>1</text:note-citation><text:note-body>See</text:note-body>", "See"),
    ],
)  # fmt: skip
def test_what_an_open_document_shows_is_counted(tmp_path: Path, body: str, words: str) -> None:
    path = tmp_path / "a.odt"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("content.xml", f"<x>{body}</x>")
    missing, _ = missing_words(path, "a", types.ODT, "")
    assert sorted(missing.elements()) == sorted(words.casefold().split())


def test_what_stands_on_every_page_need_be_said_once(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(
        word_file("", header1=paragraph(run("Internal")), header2=paragraph(run("Internal")))
    )
    assert missing_words(path, "a", types.DOCX, "Internal") == (Counter(), 1)
    assert missing_words(path, "a", types.DOCX, "") == (Counter({"internal": 1}), 1)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<p>seen</p><script>x</script><style>y</style><!-- z -->", "seen"),
        ("<p hidden>gone</p><p style='display: none'>gone</p><b>seen</b>", "seen"),
        ("<p>in<b>vestig</b>ation</p><p>next</p>", "investigation next"),
        ("<title>gone</title><unknown>seen</unknown>", "seen"),
    ],
)
def test_what_a_web_page_shows_is_counted(tmp_path: Path, page: str, words: str) -> None:
    path = tmp_path / "a.html"
    path.write_text(page)
    missing, _ = missing_words(path, "a", types.HTML, "")
    assert sorted(missing.elements()) == sorted(words.split())


@pytest.mark.parametrize(
    ("missing", "surplus", "left"),
    [
        ("annu al", "annual", ""), ("annual", "annu al", ""), ("not", "nothing", "not"),
        ("annu al not", "annual", "not"), ("a a b", "ab", "a"), ("", "x", ""),
    ],
)  # fmt: skip
def test_a_word_in_other_pieces_is_not_missing(missing: str, surplus: str, left: str) -> None:
    found = without_other_cuts(Counter(missing.split()), Counter(surplus.split()))
    assert sorted(found.elements()) == sorted(left.split())


def test_a_trace_is_not_told_and_more_is() -> None:
    assert told(Counter({"a": 1}), 1000) == {}
    assert told(Counter({"not": 2}), 1000) == {"words_missing": "2 of 1000: not"}


def test_every_format_that_can_be_counted_is(files: dict[str, Path]) -> None:
    others = set(files) - set(counted_types())
    assert others == {
        types.RTF, types.JSON, types.XML, types.EPUB, types.MARKDOWN, types.ZIP, *types.PICTURES,
    }  # fmt: skip
    assert not set(counted_types()) & BINARY
