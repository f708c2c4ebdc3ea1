"""Outlook's messages: attachments come out whole, messages within messages are read."""

import struct
from email.message import EmailMessage

from oxmsg import Message
from oxmsg.storage import Storage, Stream

from ingest.outlook import _as_mail

SUBJECT, BODY, LONG_NAME, DATA, METHOD = 0x0037, 0x1000, 0x3707, 0x3701, 0x3705
TEXT, BYTES, NUMBER = 0x001F, 0x0102, 0x0003
ROOT_HEAD, INNER_HEAD, PART_HEAD = 32, 24, 8


def stored(
    path: str,
    head: int,
    values: dict[tuple[int, int], bytes],
    *storages: Storage,
) -> Storage:
    """A storage as MS-OXMSG has it: a list of properties, and a stream for each long one."""
    properties = bytes(head)
    streams = []
    for (pid, kind), value in values.items():
        is_long = kind != NUMBER
        size = len(value) + (2 if kind == TEXT else 0)
        field = struct.pack("<I4x", size) if is_long else value.ljust(8, b"\0")
        properties += struct.pack("<HHI", kind, pid, 6) + field
        if is_long:
            streams.append(Stream(f"{path}/__substg1.0_{pid:04X}{kind:04X}", value))
    streams.append(Stream(f"{path}/__properties_version1.0", properties))
    return Storage(path, tuple(streams), storages)


def words(subject: str, body: str) -> dict[tuple[int, int], bytes]:
    return {
        (SUBJECT, TEXT): subject.encode("utf-16-le"),
        (BODY, TEXT): body.encode("utf-16-le"),
    }


def attachment(number: int, name: str, data: bytes) -> Storage:
    path = f"__attach_version1.0_#{number:08X}"
    values = {
        (LONG_NAME, TEXT): name.encode("utf-16-le"),
        (DATA, BYTES): data,
        (METHOD, NUMBER): struct.pack("<I", 1),
    }
    return stored(path, PART_HEAD, values)


def attached_message(number: int, inner: Storage) -> Storage:
    path = f"__attach_version1.0_#{number:08X}"
    return stored(path, PART_HEAD, {(METHOD, NUMBER): struct.pack("<I", 5)}, inner)


def mail(*storages: Storage) -> EmailMessage:
    return _as_mail(Message(stored("", ROOT_HEAD, words("Crane", "See below."), *storages)), [])


def test_attachments_have_their_names_and_their_bytes() -> None:
    found = list(mail(attachment(0, "报告.pdf", b"%PDF-1"), attachment(1, "b.bin", b"")).walk())
    files = {p.get_filename(): p.get_payload(decode=True) for p in found if p.is_attachment()}
    assert files == {"报告.pdf": b"%PDF-1", "b.bin": b""}


def test_a_message_within_a_message_is_one() -> None:
    deepest = attachment(0, "a.pdf", b"1")
    path = "__attach_version1.0_#00000000/__substg1.0_3701000D"
    inner = stored(path, INNER_HEAD, words("Rope", "It broke at nine."), deepest)
    *_, part = mail(attached_message(0, inner)).iter_attachments()
    assert part.get_content_type() == "message/rfc822"
    (message,) = part.get_payload()
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == "Rope"
    assert "It broke at nine." in message.as_string()
    assert [p.get_filename() for p in message.iter_attachments()] == ["a.pdf"]
