"""Mail: every text of a message, in the encodings that programs really send."""

from base64 import b64encode
from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.mail import MAX_DEPTH, unflowed
from ingest.media_types import MAIL
from ingest.members import MemberFolder
from kb_service.domain.documents import ParsedDocument

HEAD = b"From: a@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"


def read(tmp_path: Path, data: bytes) -> ParsedDocument:
    path = tmp_path / "a.eml"
    path.write_bytes(data)
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, MAIL)
    assert isinstance(document, ParsedDocument)
    return document


def multipart(kind: str, *parts: bytes, named: str = '; boundary="B"') -> bytes:
    inner = b"".join(b"--B\r\n" + part + b"\r\n" for part in parts)
    return HEAD + f"Content-Type: multipart/{kind}{named}\r\n\r\n".encode() + inner + b"--B--\r\n"


def attached(tmp_path: Path, data: bytes) -> tuple[ParsedDocument, list[tuple[str, bytes]]]:
    path = tmp_path / "a.eml"
    path.write_bytes(data)
    folder = MemberFolder(tmp_path / "members", ParseLimits())
    *_, document = DocumentLoader(ParseLimits(), members=folder).load(path, path.name, MAIL)
    assert isinstance(document, ParsedDocument)
    return document, [(member.path, member.file.read_bytes()) for member in document.members]


def body(document: ParsedDocument) -> list[str]:
    return document.text.split("\n\n")[1:]


PICTURE = b"Content-Type: image/png; name=p.png\r\nContent-Disposition: inline\r\n\r\nxx"


@pytest.mark.parametrize("named", ['; boundary="B"', ""])
@pytest.mark.parametrize("kind", ["mixed", "related", "signed", "report", "unheard-of"])
def test_every_text_part_is_read_also_where_the_head_names_no_boundary(
    tmp_path: Path, kind: str, named: str
) -> None:
    data = multipart(
        kind, PLAIN + b"See below.", PICTURE, PLAIN + b"The rope broke.", HTML + b"<p>At nine.</p>",
        named=named,
    )  # fmt: skip
    assert body(read(tmp_path, data)) == [
        "See below.", "The rope broke.", "At nine.", "Attachments: p.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("plain", "html", "said"),
    [
        (b"The rope broke.", b"<p>The rope broke.</p>", "The rope broke."),
        (b" ", b"<p>The rope broke at nine.</p>", "The rope broke at nine."),
        (b"Open this in a browser.", b"<p>" + b"The rope broke. " * 9 + b"</p>", "The rope broke."),
        (b"The rope broke.", b"<style>p {a: b; c: d; e: f; g: h}</style><p>It.</p>", "The rope"),
    ],
)
def test_of_alternatives_the_plain_one_is_read_unless_another_says_much_more(
    tmp_path: Path, plain: bytes, html: bytes, said: str
) -> None:
    document = read(tmp_path, multipart("alternative", PLAIN + plain, HTML + html))
    assert body(document)[0].startswith(said)
    assert len(body(document)) == 1


def test_a_message_within_a_message_is_read_with_its_head(tmp_path: Path) -> None:
    inner = b"From: b@example.org\r\nSubject: The rope\r\n" + PLAIN + b"It broke at nine."
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + inner
    document = read(tmp_path, multipart("mixed", PLAIN + b"See below.", forwarded))
    assert body(document) == [
        "See below.", "Subject: The rope\nFrom: b@example.org", "It broke at nine.",
    ]  # fmt: skip


def part(name: str, data: bytes, kind: str = "application/octet-stream") -> bytes:
    head = f"Content-Type: {kind}\r\nContent-Disposition: attachment"
    named = f'; filename="{name}"' if name else ""
    return (
        (head + named).encode()
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + (b64encode(data))
    )


def test_an_attachment_is_named_in_the_text_and_comes_out_whole(tmp_path: Path) -> None:
    note = part("a.txt", b"secret words", "text/plain")
    document, files = attached(
        tmp_path, multipart("mixed", PLAIN + b"See below.", note, part("b.bin", b"\0\r\n"))
    )
    assert body(document) == ["See below.", "Attachments: a.txt, b.bin"]
    assert document.metadata["attachments"] == "a.txt, b.bin"
    assert files == [("a.txt", b"secret words"), ("b.bin", b"\0\r\n")]


def test_a_text_that_is_shown_with_the_message_is_read_once(tmp_path: Path) -> None:
    shown = b"Content-Disposition: inline; filename=a.txt\r\n" + PLAIN + b"The rope broke."
    document, files = attached(tmp_path, multipart("mixed", PLAIN + b"See below.", shown))
    assert body(document) == ["See below.", "The rope broke.", "Attachments: a.txt"]
    assert files == []


def test_attachments_of_one_name_and_of_none_are_told_apart(tmp_path: Path) -> None:
    parts = [part("a.pdf", b"1"), part("a.pdf", b"2"), part("", b"3", "application/pdf")]
    _, files = attached(tmp_path, multipart("mixed", *parts))
    assert files == [("a.pdf", b"1"), ("a (2).pdf", b"2"), ("attachment.pdf", b"3")]


def test_what_is_attached_to_a_message_within_comes_out_too(tmp_path: Path) -> None:
    inner = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=I\r\n\r\n--I\r\n"
        + (PLAIN + b"It broke.\r\n--I\r\n" + part("a.pdf", b"1") + b"\r\n--I--\r\n")
    )
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + inner
    document, files = attached(
        tmp_path, multipart("mixed", PLAIN + b"See.", forwarded, part("a.pdf", b"2"))
    )
    assert files == [("x/a.pdf", b"1"), ("a.pdf", b"2")]
    assert document.text.count("It broke.") == 1


def test_a_message_that_lies_too_deep_is_a_loss(tmp_path: Path) -> None:
    data = HEAD + PLAIN + b"The end."
    for _ in range(MAX_DEPTH + 1):
        data = HEAD + b"Content-Type: message/rfc822\r\n\r\n" + data
    document, _ = attached(tmp_path, data)
    assert "The end." not in document.text
    assert [loss.what for loss in document.losses] == ["too_deep"]


def test_a_signature_is_no_attachment(tmp_path: Path) -> None:
    signature = part("smime.p7s", b"1", "application/pkcs7-signature")
    _, files = attached(tmp_path, multipart("signed", PLAIN + b"See.", signature))
    assert files == []


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("三号码头事故通报".encode("gb18030"), "三号码头事故通报"),
        ("三号码头事故通报".encode(), "三号码头事故通报"),
        (b"=?gb2312?B?" + b"1uzpRrv5wrc=" + b"?=", "朱镕基路"),
        (b"=?utf-8?B?5LiJ5Y+3?= =?utf-8?B?56CB5aS0?=", "三号码头"),
        (b"Re: =?iso-8859-1?Q?=80500?= today", "Re: €500 today"),
        (b"=?no-such?Q?abc?=", "abc"),
        (b"=?utf-8?B?broken", "=?utf-8?B?broken"),
    ],
)
def test_a_subject_is_shown_in_the_characters_that_were_meant(
    tmp_path: Path, subject: bytes, shown: str
) -> None:
    head = b"Subject: " + subject + b"\r\nContent-Type: text/plain; charset=gbk\r\n\r\n"
    document = read(tmp_path, head + "起重机倒塌。".encode("gbk"))
    assert document.title == shown
    assert document.text == f"Subject: {shown}\n\n起重机倒塌。"


@pytest.mark.parametrize("declared", ["", "; charset=us-ascii", "; charset=no-such"])
def test_a_body_in_an_encoding_that_its_head_hides_is_read_and_told(
    tmp_path: Path, declared: str
) -> None:
    words = "臺北港三號碼頭起重機倒塌，兩名工人受傷，調查組認定鋼纜斷裂是直接原因。"
    data = HEAD + f"Content-Type: text/plain{declared}\r\n\r\n".encode() + words.encode("big5")
    document = read(tmp_path, data)
    assert body(document) == [words]
    assert document.metadata["encoding"] == "big5hkscs"


@pytest.mark.parametrize(
    ("written", "deletes_space", "meant"),
    [
        ("The rope \nbroke.\nTwo men.", False, "The rope broke.\nTwo men."),
        ("三号 \n码头", True, "三号码头"),
        ("> The rope \n> broke.\nYes.", False, "> The rope broke.\nYes."),
        (" From here.", False, "From here."),
        ("Yours,\n-- \nA. Li", False, "Yours,\n-- \nA. Li"),
    ],
)
def test_flowed_lines_are_joined_as_they_were_written(
    written: str, deletes_space: bool, meant: str
) -> None:
    assert unflowed(written, deletes_space=deletes_space) == meant


INVITATION = (
    b"Content-Type: text/calendar; method=REQUEST\r\n\r\n"
    b"BEGIN:VCALENDAR\r\nSUMMARY:Inspection\r\nLOCATION:Hall 3\r\nEND:VCALENDAR"
)


def test_an_invitation_beside_other_words_is_read(tmp_path: Path) -> None:
    text = PLAIN + b"Please come to the inspection of the crane on the pier."
    for parts in ((text, INVITATION), (text, HTML + b"<p>Please come.</p>", INVITATION)):
        found = read(tmp_path, multipart("alternative", *parts)).text
        assert "Please come to" in found
        assert "LOCATION:Hall 3" in found


def test_what_is_attached_to_an_alternative_that_is_not_shown_is_a_member(tmp_path: Path) -> None:
    file = b"Content-Disposition: attachment; filename=n.txt\r\n\r\nThe rope broke."
    inner = b'Content-Type: multipart/mixed; boundary="C"\r\n\r\n--C\r\n' + HTML + b"<p>See it.</p>"
    other = inner + b"\r\n--C\r\n" + file + b"\r\n--C--"
    document, members = attached(tmp_path, multipart("alternative", PLAIN + b"See it.", other))
    assert body(document) == ["See it.", "Attachments: n.txt"]
    assert members == [("n.txt", b"The rope broke.")]


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_message_attached_to_an_alternative_gives_its_files_once(
    tmp_path: Path, is_shown: bool
) -> None:
    head = (
        b"Content-Disposition: attachment; filename=fw.eml\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    forwarded = head + multipart("mixed", PLAIN + b"x", part("a.txt", b"It broke.")).replace(
        b"--B", b"--D"
    ).replace(b'"B"', b'"D"')
    parts = [b'Content-Type: multipart/mixed; boundary="C"\r\n', PLAIN + b"See it.", forwarded]
    mixed = b"\r\n--C\r\n".join(parts) + b"\r\n--C--"
    other = HTML + b"<p>" + b"See it there. " * (1 if is_shown else 30) + b"</p>"
    document, members = attached(tmp_path, multipart("alternative", mixed, other))
    assert members == [("fw.eml/a.txt", b"It broke.")]
    assert document.text.count("Attachments: ") == 2  # of the message, and of the one in it


def test_a_part_without_a_name_is_a_member(tmp_path: Path) -> None:
    part = b"Content-Type: application/pdf\r\n\r\n%PDF-1.7"
    signature = b"Content-Type: application/pgp-signature\r\n\r\nabc"
    data = multipart("mixed", PLAIN + b"See it.", part, signature)
    assert attached(tmp_path, data)[1] == [("attachment.pdf", b"%PDF-1.7")]


def test_a_report_of_a_mail_server_says_to_whom_and_why(tmp_path: Path) -> None:
    status = (
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        b"Final-Recipient: rfc822; li@example.org\r\nStatus: 5.1.1\r\n"
    )
    found = body(read(tmp_path, multipart("report", PLAIN + b"It failed.", status)))
    assert found == [
        "It failed.", "Reporting-MTA: dns; mx",
        "Final-Recipient: rfc822; li@example.org\nStatus: 5.1.1",
    ]  # fmt: skip


def test_seven_bits_are_read_where_the_head_says_so(tmp_path: Path) -> None:
    data = HEAD + b"Content-Type: text/plain; charset=utf-7\r\n\r\nThe +lKJ/Bg- broke."
    assert body(read(tmp_path, data)) == ["The 钢缆 broke."]
