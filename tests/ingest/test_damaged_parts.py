"""One part of a package that is damaged costs itself alone, and the report says which it was."""

from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import DOCX, EPUB, MAIL, PPTX, RTF, XLSX, XML
from ingest.members import MemberFolder
from ingest.outlook import _as_mail
from kb_service.domain.documents import PageReport, ParsedDocument
from kb_service.domain.errors import DocumentError
from tests.ingest.damaged_samples import DAMAGES, MAIN, PACKAGES, WORDS, Parts, packed, relations
from tests.ingest.test_mail import HTML, PLAIN, multipart, part

NOT_READ = ("theme", "[Content_Types]", "mimetype", "embeddings/")
"""What no reader opens; a file inside is a document of its own."""
CHECKSUM = "checksum"
CASES = [
    (kind, name, damage)
    for kind, parts in PACKAGES.items()
    for name in parts
    for damage in (*DAMAGES, CHECKSUM)
    if name != MAIN[kind]
]


def read(path: Path, kind: str, data: bytes) -> ParsedDocument:
    path.write_bytes(data)
    folder = MemberFolder(path.parent / "members", ParseLimits())
    *_, document = DocumentLoader(ParseLimits(), members=folder).load(path, path.name, kind)
    assert isinstance(document, ParsedDocument)
    return document


def lost(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(loss.where, loss.what) for loss in document.losses]


def with_damage(parts: Parts, name: str, damage: str) -> bytes:
    content = parts[name]
    if damage in DAMAGES:
        return packed(parts | {name: DAMAGES[damage](content)})
    data = packed(parts)
    return data.replace(content, bytes(len(content)))


def source_of(name: str) -> str:
    """The part whose relations another one is; every other part stands for itself."""
    return name.replace("_rels/", "").removesuffix(".rels")


@pytest.mark.parametrize(("kind", "name", "damage"), CASES)
def test_a_damaged_part_costs_itself_alone(
    tmp_path: Path, kind: str, name: str, damage: str
) -> None:
    parts = PACKAGES[kind]
    if len(parts[name]) < 8 and damage == CHECKSUM:
        return  # its bytes stand elsewhere in the package as well
    document = read(tmp_path / "a", kind, with_damage(parts, name, damage))
    assert WORDS in document.text
    if any(part in name for part in NOT_READ):
        wanted = [(Path(name).name, "corrupt_document")] if damage == CHECKSUM else []
        assert lost(document) in ([], wanted)
    elif name.endswith(".png"):
        assert document.losses or document.unread
    elif name.endswith(".xhtml") and damage == "malformed":
        assert not document.losses  # a web page has no such damage: all of it is read
    else:
        assert source_of(name) in [where for where, _ in lost(document)]
        assert not PageReport.of(document.pages, document.losses).is_complete


@pytest.mark.parametrize("kind", PACKAGES)
def test_a_package_without_damage_has_no_losses(tmp_path: Path, kind: str) -> None:
    document = read(tmp_path / "a", kind, packed(PACKAGES[kind]))
    assert (WORDS in document.text, document.losses) == (True, ())
    assert "Beside." in document.text


@pytest.mark.parametrize("kind", [kind for kind in PACKAGES if kind != EPUB])
@pytest.mark.parametrize("damage", [*DAMAGES, CHECKSUM])
def test_a_text_that_nobody_can_read_is_refused_or_named(
    tmp_path: Path, kind: str, damage: str
) -> None:
    data = with_damage(PACKAGES[kind], MAIN[kind], damage)
    try:
        document = read(tmp_path / "a", kind, data)
    except DocumentError as error:
        assert error.code == "corrupt_document"
    else:
        assert WORDS in document.text or MAIN[kind] in [where for where, _ in lost(document)]


SHOWN = [
    (kind, name)
    for kind, parts in PACKAGES.items()
    for name in parts
    if name.endswith((".png", "charts/c.xml", "slide2.xml", "sheet2.xml", "b.xhtml"))
    and (kind, name) != (PPTX, "ppt/slides/slide2.xml")  # the list of slides does not name it
]


@pytest.mark.parametrize(("kind", "name"), SHOWN)
def test_a_part_that_is_shown_and_not_there_is_named(tmp_path: Path, kind: str, name: str) -> None:
    parts = {part: content for part, content in PACKAGES[kind].items() if part != name}
    document = read(tmp_path / "a", kind, packed(parts))
    assert WORDS in document.text
    assert lost(document) == [(name, "missing_part")]


@pytest.mark.parametrize(
    ("kind", "source", "num"),
    [(DOCX, "word/document.xml", 2), (PPTX, "ppt/slides/slide1.xml", 2),
     (XLSX, "xl/drawings/drawing1.xml", 2)],
)  # fmt: skip
def test_a_picture_or_chart_without_its_relationship_is_named(
    tmp_path: Path, kind: str, source: str, num: int
) -> None:
    folder, _, name = source.rpartition("/")
    empty = {f"{folder}/_rels/{name}.rels": relations()}
    document = read(tmp_path / "a", kind, packed(PACKAGES[kind] | empty))
    assert WORDS in document.text
    assert lost(document) == [(source, "missing_part")] * num


def test_a_picture_that_lies_outside_is_no_loss(tmp_path: Path) -> None:
    name = "word/_rels/document.xml.rels"
    listed = PACKAGES[DOCX][name].replace(
        b'Target="media/1.png"', b'Target="https://example.org/1.png" TargetMode="External"'
    )
    assert read(tmp_path / "a", DOCX, packed(PACKAGES[DOCX] | {name: listed})).losses == ()


def test_a_book_whose_list_cannot_be_read_has_its_chapters(tmp_path: Path) -> None:
    document = read(tmp_path / "a", EPUB, packed(PACKAGES[EPUB] | {"p.opf": b"\0\1"}))
    assert document.text == f"{WORDS}\n\nBeside."


def test_an_xml_file_that_ends_early_says_so(tmp_path: Path) -> None:
    document = read(tmp_path / "a", XML, f"<r><what>{WORDS}</what><who>".encode())
    assert WORDS in document.text
    assert lost(document) == [("", "corrupt_document")]


BASE64 = b"Content-Transfer-Encoding: base64\r\n"


@pytest.mark.parametrize("content", [b"aGVs!!bG8gd29ybGQ=", b"aGVsb", b"\x01\x02\x03\x04"])
@pytest.mark.parametrize("place", ["attachment", "inline"])
def test_a_part_of_a_mail_whose_transfer_is_damaged_is_named(
    tmp_path: Path, content: bytes, place: str
) -> None:
    head = f"Content-Disposition: {place}; filename=a.bin\r\n".encode()
    damaged = b"Content-Type: application/octet-stream\r\n" + head + BASE64 + b"\r\n" + content
    document = read(tmp_path / "a", MAIL, multipart("mixed", PLAIN + WORDS.encode(), damaged))
    assert WORDS in document.text
    assert lost(document) == [("a.bin", "corrupt_document")]


@pytest.mark.parametrize(
    "inner",
    [b"Content-Type: application/pkcs7-mime\r\n\r\nabc",
     b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + b"<b>" * 400 + b"x",
     b"Subject: x\r\n\r\n" + b"\x02\x81\x03\x8d" * 20],
)  # fmt: skip
def test_a_message_inside_a_mail_that_cannot_be_read_costs_itself_alone(
    tmp_path: Path, inner: bytes
) -> None:
    attached = b"Content-Type: message/rfc822\r\n\r\n" + inner
    kept = part("a.txt", b"It broke.")
    data = multipart("mixed", PLAIN + WORDS.encode(), attached, kept)
    document = read(tmp_path / "a", MAIL, data)
    assert WORDS in document.text
    assert [member.path for member in document.members] == ["a.txt"]
    assert len(document.losses) == 1


def test_an_alternative_that_cannot_be_read_gives_way_to_the_other(tmp_path: Path) -> None:
    deep = HTML + WORDS.encode() * 9 + b"<b>" * 400
    document = read(tmp_path / "a", MAIL, multipart("alternative", PLAIN + WORDS.encode(), deep))
    assert document.text.count(WORDS) == 1
    assert lost(document) == [("text/html", "corrupt_document")]


class _Unreadable:
    """An attachment whose properties are not what they should be."""

    def __getattr__(self, name: str) -> object:
        raise KeyError(name)


def test_an_attachment_of_outlook_that_cannot_be_read_costs_itself_alone() -> None:
    class Message:
        body, subject = WORDS, "x"
        attachments = (_Unreadable(),)

    losses: list[object] = []
    mail = _as_mail(Message(), losses)  # type: ignore[arg-type]
    assert WORDS in str(mail)
    assert [(loss.where, loss.what) for loss in losses] == [  # type: ignore[attr-defined]
        ("attachment 1", "corrupt_document")
    ]


def test_a_mail_that_breaks_off_before_its_last_line_is_named(tmp_path: Path) -> None:
    whole = multipart("mixed", PLAIN + WORDS.encode(), part("a.txt", b"It broke."))
    assert not lost(read(tmp_path / "whole", MAIL, whole))
    cut = whole[: whole.rindex(b"\n--")]
    broken = read(tmp_path / "broken", MAIL, cut)
    assert WORDS in broken.text
    assert lost(broken) == [("broken", "cut_short")]
    inner = cut.replace(b"--B", b"--C").replace(b'"B"', b'"C"')
    inside = multipart("mixed", b"Content-Type: message/rfc822\r\n\r\n" + inner)
    assert lost(read(tmp_path / "outside", MAIL, inside)) == [("x", "cut_short")]


def test_rich_text_that_breaks_off_within_a_group_is_named(tmp_path: Path) -> None:
    whole = rb"{\rtf1\ansi " + WORDS.encode() + rb"\par {\b It broke.}\par}"
    assert not lost(read(tmp_path / "whole", RTF, whole))
    broken = read(tmp_path / "broken", RTF, whole[:-12])
    assert WORDS in broken.text
    assert lost(broken) == [("broken", "cut_short")]


def test_a_chapter_of_a_book_that_breaks_off_is_named(tmp_path: Path) -> None:
    parts = PACKAGES[EPUB]
    name = next(name for name, data in parts.items() if b"</html>" in data)
    assert not lost(read(tmp_path / "whole", EPUB, packed(parts)))
    broken = packed(parts | {name: parts[name][: parts[name].index(b"</body>")]})
    assert lost(read(tmp_path / "broken", EPUB, broken)) == [(name, "cut_short")]
