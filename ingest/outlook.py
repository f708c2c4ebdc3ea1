"""A message that Outlook stores (.msg) as the mail that it was, through python-oxmsg.

Knows which of its properties are head, body and attachments, messages inside it among them. Knows
nothing of blocks or drafts.
"""

from dataclasses import replace
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.office_package import lost
from kb_service.domain.errors import DocumentError
from kb_service.domain.members import Loss

if TYPE_CHECKING:
    from oxmsg import Message
    from oxmsg.attachment import Attachment

MAX_DEPTH = 20
"""Messages within messages that are read."""
_INNER_MESSAGE = "__substg1.0_3701000D"
_PROPERTIES = "__properties_version1.0"
_INNER_HEAD = 24
_SHORT_NAME = 0x3704
_CONTENT_ID = 0x3712


_OF_A_DAMAGED_ONE = (OSError, ValueError, KeyError, IndexError, AttributeError, TypeError)
"""What the library raises for damaged storages and properties."""


def outlook_message(path: Path, name: str) -> tuple[EmailMessage, list[Loss]]:
    """Return the message, and the attachments that cannot be read.

    Raises DocumentError `corrupt_document`.
    """
    from oxmsg import Message

    try:
        with path.open("rb") as file:
            message = Message.load(file)
            losses: list[Loss] = []
            return _as_mail(message, losses), losses
    except _OF_A_DAMAGED_ONE as error:
        text = f"{name} is not a readable Outlook message: {error}"
        raise DocumentError(text, code="corrupt_document") from error


def _as_mail(message: "object", losses: list[Loss], depth: int = 0) -> EmailMessage:
    mail = EmailMessage()
    for field, value in _head(message):
        if value:
            mail[field] = " ".join(value.split())
    body = getattr(message, "body", None) or ""
    html = getattr(message, "html_body", None) or ""
    mail.set_content(body)
    if html:
        mail.add_alternative(html, subtype="html")
    for number, attachment in enumerate(getattr(message, "attachments", ()), start=1):
        try:
            _attach(mail, attachment, losses, depth)
        except _OF_A_DAMAGED_ONE as error:
            losses.append(lost(f"attachment {number}", error))
    return mail


def _attach(mail: EmailMessage, attachment: "Attachment", losses: list[Loss], depth: int) -> None:
    # The library does not read messages within messages.
    storage: Any = attachment._storage  # noqa: SLF001
    inner = next((one for one in storage.storages if one.name == _INNER_MESSAGE), None)
    if inner is not None and depth < MAX_DEPTH:
        mail.add_attachment(_as_mail(_inner_message(inner), losses, depth + 1))
        return
    short_name = attachment.properties.str_prop_value(_SHORT_NAME)
    file_name = attachment.file_name or short_name or "attachment"
    data = attachment.file_bytes or b""
    kind = (attachment.mime_type or "").partition("/")
    main, sub = (kind[0], kind[2]) if kind[0] == "image" else ("application", "octet-stream")
    shown_as = attachment.properties.str_prop_value(_CONTENT_ID)
    cid = f"<{shown_as}>" if shown_as else None
    mail.add_attachment(data, main, sub, filename=file_name, cid=cid)


def _inner_message(storage: Any) -> "Message":  # noqa: ANN401  of a library without its type here
    """Return a message within a message: the head of its properties is 8 bytes shorter."""
    from oxmsg import Message

    streams = tuple(
        replace(stream, bytes_=stream.bytes_[:_INNER_HEAD] + bytes(8) + stream.bytes_[_INNER_HEAD:])
        if stream.name == _PROPERTIES
        else stream
        for stream in storage.streams
    )
    return Message(replace(storage, streams=streams))


def _head(message: "object") -> list[tuple[str, str]]:
    headers = {key.lower(): value for key, value in getattr(message, "message_headers", {}).items()}
    recipients = [
        f"{person.name} <{person.email_address}>" if person.email_address else person.name
        for person in getattr(message, "recipients", ())
    ]
    sent = getattr(message, "sent_date", None)
    return [
        ("Subject", getattr(message, "subject", None) or headers.get("subject", "")),
        ("From", getattr(message, "sender", None) or headers.get("from", "")),
        ("To", headers.get("to", "") or ", ".join(recipients)),
        ("Cc", headers.get("cc", "")),
        ("Date", headers.get("date", "") or (format_datetime(sent) if sent else "")),
    ]
