"""Archives: every file in one comes out, or is named with the reason; none sinks the others."""

import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import archive as module
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import DOCX, EPUB, PLAIN_TEXT, ZIP, detect_media_type
from ingest.members import MemberFolder
from ingest.sandbox import SandboxedLoader
from kb_service.domain.documents import PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError

LIMITS = ParseLimits()
Files = list[tuple[str, bytes]]


def zipped(*files: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", kind) as package:
        for name, data in files:
            package.writestr(name, data)
    return target.getvalue()


def written_in(encoding: str, *names: str) -> bytes:
    """An archive whose program writes names in an encoding of its own, without saying so."""
    stand_ins = [f"{number:03}".ljust(len(name.encode(encoding)), "x") for number, name in
                 enumerate(names)]  # fmt: skip
    data = zipped(*((stand_in, b"words") for stand_in in stand_ins))
    for stand_in, name in zip(stand_ins, names, strict=True):
        data = data.replace(stand_in.encode(), name.encode(encoding))
    return data


def unpacked(
    tmp_path: Path, data: bytes, limits: ParseLimits = LIMITS
) -> tuple[ParsedDocument, Files]:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    folder = MemberFolder(tmp_path / "members", limits)
    *_, document = DocumentLoader(limits, members=folder).load(path, path.name, ZIP)
    assert isinstance(document, ParsedDocument)
    return document, [(member.path, member.file.read_bytes()) for member in document.members]


def losses(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(loss.where, loss.what) for loss in document.losses]


def test_the_text_of_an_archive_is_the_list_of_its_files(tmp_path: Path) -> None:
    data = zipped(("a.txt", b"one"), ("reports/", b""), ("reports/b.pdf", b"%PDF-"))
    document, files = unpacked(tmp_path, data)
    assert document.text == "a.txt\nreports/b.pdf"
    assert files == [("a.txt", b"one"), ("reports/b.pdf", b"%PDF-")]
    assert document.losses == ()


def test_an_empty_archive_is_an_empty_page(tmp_path: Path) -> None:
    document, files = unpacked(tmp_path, zipped())
    assert [page.kind for page in document.pages] == [PageKind.EMPTY]
    assert files == []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Users\\a.txt", "C:/Users/a.txt"),
        ("a/./b/../c.txt", "a/b/c.txt"),
        ("..", "file"),
        ("tab\there.txt", "tabhere.txt"),
    ],
)
def test_a_path_is_a_name_and_leads_nowhere(tmp_path: Path, given: str, path: str) -> None:
    _, files = unpacked(tmp_path, zipped((given, b"words")))
    assert files == [(path, b"words")]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["0", "a.zip", "members"]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("a.txt", b"one"), ("a.txt", b"two"), ("./a.txt", b"three"))
    _, files = unpacked(tmp_path, data)
    assert files == [("a.txt", b"one"), ("a (2).txt", b"two"), ("a (3).txt", b"three")]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize(
    "names",
    [("事故.txt",), ("三号码头事故通报.docx", "附件（一）/起重机检查记录.xlsx"), ("a-钢缆.md",)],
)
def test_chinese_names_are_read_whatever_program_wrote_them(
    tmp_path: Path, encoding: str, names: tuple[str, ...]
) -> None:
    _, files = unpacked(tmp_path, written_in(encoding, *names))
    assert [path for path, _ in files] == list(names)


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("big5", ("臺北港三號碼頭起重機倒塌調查報告.txt", "兩名工人受傷鋼纜斷裂.txt")),
        ("cp932", ("クレーン事故の調査報告書について.txt", "ワイヤーロープの点検記録です.txt")),
        ("cp437", ("résumé of the café.txt",)),
    ],
)
def test_names_in_other_encodings_are_read(
    tmp_path: Path, encoding: str, names: tuple[str, ...]
) -> None:
    _, files = unpacked(tmp_path, written_in(encoding, *names))
    assert [path for path, _ in files] == list(names)


def locked(data: bytes, name: bytes) -> bytes:
    """The same archive with the mark of a password on one file."""
    at = data.index(b"PK\x01\x02", data.index(name) if name in data else 0)
    while data[at + 46 : at + 46 + len(name)] != name:
        at = data.index(b"PK\x01\x02", at + 1)
    return data[: at + 8] + struct.pack("<H", 1) + data[at + 10 :]


def test_a_locked_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    data = locked(zipped(("a.txt", b"one"), ("secret.txt", b"two")), b"secret.txt")
    document, files = unpacked(tmp_path, data)
    assert files == [("a.txt", b"one")]
    assert losses(document) == [("secret.txt", "encrypted_document")]
    assert "secret.txt" in document.text


def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    data = zipped(("a.txt", b"one"), ("b.txt", b"the words"), kind=zipfile.ZIP_STORED)
    document, files = unpacked(tmp_path, data.replace(b"the words", b"the swords"[:9]))
    assert files == [("a.txt", b"one")]
    assert losses(document) == [("b.txt", "corrupt_document")]


def test_a_file_packed_in_an_unknown_way_is_named(tmp_path: Path) -> None:
    data = bytearray(zipped(("a.txt", b"one"), kind=zipfile.ZIP_STORED))
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.index(mark) + place
        data[at : at + 2] = struct.pack("<H", 99)
    document, _ = unpacked(tmp_path, bytes(data))
    assert losses(document) == [("a.txt", "unsupported_compression")]


def test_an_archive_that_is_cut_off_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        unpacked(tmp_path, zipped(("a.txt", b"words"))[:-30])
    assert caught.value.code == "corrupt_document"


def test_a_file_that_unpacks_to_too_much_is_left_out_and_the_limits_are_named(
    tmp_path: Path,
) -> None:
    limits = replace(LIMITS, max_file_bytes=2_000_000)
    document, files = unpacked(
        tmp_path, zipped(("bomb.txt", bytes(5_000_000)), ("a.txt", b"one")), limits
    )
    assert files == [("a.txt", b"one")]
    assert losses(document) == [("bomb.txt", "document_too_large")]
    assert "2000000 bytes a file" in document.losses[0].sample


def test_no_more_is_unpacked_than_all_files_together_may_hold(tmp_path: Path) -> None:
    limits = replace(LIMITS, max_decompressed_bytes=2_500_000)
    parts = [(f"{number}.txt", bytes(1_000_000)) for number in range(50)]
    document, files = unpacked(tmp_path, zipped(*parts), limits)
    assert len(files) == 2
    assert len(document.losses) == 48


def test_more_files_than_are_read_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.members.MAX_MEMBERS", 2)
    document, files = unpacked(tmp_path, zipped(*((f"{n}.txt", b"x") for n in range(5))))
    assert len(files) == 2
    assert [(loss.what, loss.sample) for loss in document.losses] == [
        ("too_many_members", "3 more files than the 2 that are read")
    ]
    monkeypatch.setattr(module, "MAX_ENTRIES", 4)
    with pytest.raises(DocumentError, match="at most 4 are accepted"):
        unpacked(tmp_path, zipped(*((f"{n}.txt", b"x") for n in range(5))))


def test_links_and_folders_are_no_files(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        package.writestr(link, "/etc/passwd")
        package.writestr("folder/", "")
    document, files = unpacked(tmp_path, target.getvalue())
    assert (document.text, files, document.losses) == ("", [], ())


@pytest.mark.parametrize(
    ("name", "first", "media_type"),
    [
        ("a.zip", "a.txt", ZIP),
        ("a.zip", "word/minutes.txt", ZIP),
        ("archive", "a.txt", ZIP),
        ("a.zip", "[Content_Types].xml", DOCX),
        ("a.docx", "word/document.xml", DOCX),
    ],
)
def test_an_archive_is_told_from_packages_of_office_programs(
    name: str, first: str, media_type: str
) -> None:
    data = zipped((first, b"x"), ("word/document.xml", b"x") if media_type == DOCX else ("b", b""))
    assert detect_media_type(name, data) == media_type


def test_what_has_a_kind_of_its_own_stays_it() -> None:
    book = zipped(("mimetype", EPUB.encode()), kind=zipfile.ZIP_STORED)
    assert detect_media_type("a.zip", book) == EPUB
    assert detect_media_type("a.zip", zipped()) == ZIP
    assert detect_media_type("a.txt", b"PK is a text") == PLAIN_TEXT
    with pytest.raises(DocumentError, match="unknown kind"):
        detect_media_type("a.vsdx", zipped(("[Content_Types].xml", b""), ("visio/a.xml", b"")))


def test_files_and_losses_come_out_of_the_process_that_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(locked(zipped(("a.txt", b"one"), ("b.txt", b"two")), b"b.txt"))
    with SandboxedLoader(LIMITS) as loader:
        for step in loader.load(path, path.name, ZIP):
            if isinstance(step, ParsedDocument):
                assert [(m.path, m.file.read_bytes()) for m in step.members] == [("a.txt", b"one")]
                assert losses(step) == [("b.txt", "encrypted_document")]
