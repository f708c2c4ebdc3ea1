"""A message that Outlook stores (.msg) as the mail that it was, through python-oxmsg.

Knows which of its properties are head, body and attachments. Knows nothing of blocks or drafts.
"""

from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from kb_service.domain.errors import DocumentError


def outlook_message(path: Path, name: str) -> EmailMessage:
    """Return the message. Raises DocumentError `corrupt_document`."""
    from oxmsg import Message

    try:
        with path.open("rb") as file:
            message = Message.load(file)
            return _as_mail(message)
    except (OSError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        text = f"{name} is not a readable Outlook message: {error}"
        raise DocumentError(text, code="corrupt_document") from error


def _as_mail(message: "object") -> EmailMessage:
    mail = EmailMessage()
    for field, value in _head(message):
        if value:
            mail[field] = " ".join(value.split())
    body = getattr(message, "body", None) or ""
    html = getattr(message, "html_body", None) or ""
    mail.set_content(body)
    if html:
        mail.add_alternative(html, subtype="html")
    for attachment in getattr(message, "attachments", ()):
        file_name = attachment.file_name or "attachment"
        mail.add_attachment(b"", "application", "octet-stream", filename=file_name)
    return mail


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
