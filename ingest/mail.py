"""MailLoader: an .eml message as text: its head, its body and the names of its attachments.

Knows RFC 5322 through the standard library; an HTML body is read by `web_page.add_html`. The
content of attachments is not read: upload them as files of their own.
"""

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from ingest.draft import DraftDocument
from ingest.limits import ParseLimits
from ingest.plain_text import add_text, decode
from ingest.web_page import add_html
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

_HEAD = ("Subject", "From", "To", "Cc", "Date")
_ATTACHMENTS_TITLE = "Attachments"


class MailLoader:
    """Loader for message/rfc822: one page."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield one Progress, then the ParsedDocument. Raises DocumentError."""
        message = _parsed(path, name)
        head = {field: _header(message, field) for field in _HEAD}
        draft = DraftDocument(name, self._limits.max_text_chars)
        draft.add("\n".join(f"{field}: {value}" for field, value in head.items() if value))
        self._add_body(message, name, draft)
        attachments = [part.get_filename() or "" for part in _attachments(message)]
        named = [attachment for attachment in attachments if attachment]
        if named:
            draft.add(f"{_ATTACHMENTS_TITLE}: {', '.join(named)}")
        draft.end_page()
        yield Progress(JobStage.LOAD, 1, 1)
        yield draft.finish(head["Subject"], _metadata(head, named))

    @staticmethod
    def _add_body(message: EmailMessage, name: str, draft: DraftDocument) -> None:
        body = message.get_body(preferencelist=("plain", "html"))
        if body is None:
            return
        if body.get_content_type().startswith("application/pkcs7"):
            raise DocumentError(f"{name} is encrypted", code="encrypted_document")
        text = _content(body, name)
        if body.get_content_subtype() == "html":
            add_html(draft, text)
        else:
            add_text(draft, text)


def _parsed(path: Path, name: str) -> EmailMessage:
    data = path.read_bytes()
    if b"\0" in data[:200]:  # a mail is ASCII; this one was saved as UTF-16
        data = decode(data, name).encode()
    message = BytesParser(policy=policy.default).parsebytes(data)
    if message.get_content_type() in ("application/pkcs7-mime", "multipart/encrypted"):
        raise DocumentError(
            f"{name} is an encrypted message; save it decrypted", code="encrypted_document"
        )
    if not message.keys():
        raise DocumentError(f"{name} has no mail header", code="corrupt_document")
    return message


def _header(message: EmailMessage, field: str) -> str:
    """Return a header decoded; malformed ones come back as they stand."""
    try:
        value = message.get(field)
    except (ValueError, IndexError, AttributeError, TypeError):  # stdlib's parser on broken input
        value = next((raw for key, raw in message.raw_items() if key.lower() == field.lower()), "")
    return " ".join(str(value or "").split())


def _content(part: MIMEPart, name: str) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    try:
        return data.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return decode(data, name)


def _attachments(message: EmailMessage) -> list[MIMEPart]:
    return [part for part in message.walk() if part.get_filename()]


def _metadata(head: dict[str, str], attachments: list[str]) -> dict[str, str]:
    metadata = {field.lower(): value for field, value in head.items() if field != "Date"}
    metadata["attachments"] = ", ".join(attachments)
    try:
        metadata["sent_at"] = parsedate_to_datetime(head["Date"]).isoformat()
    except ValueError:
        metadata["sent_at"] = head["Date"]
    return metadata
