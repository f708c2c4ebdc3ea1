"""MailLoader: a message as text: its head, every text of its body, the names of attachments.

Knows RFC 5322, MIME and flowed text (RFC 3676) through the standard library; an HTML body is read
by `web_page.add_html`. Messages inside a message are read with their heads; other attachments, at
any depth, are members: documents of their own.
"""

import re
from collections.abc import Iterator
from email import policy
from email.errors import (
    CloseBoundaryNotFoundDefect,
    HeaderParseError,
    InvalidBase64CharactersDefect,
    InvalidBase64LengthDefect,
)
from email.header import decode_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from mimetypes import guess_extension
from pathlib import Path
from urllib.parse import unquote

from ingest.calendar_text import unfolded
from ingest.draft import DraftDocument
from ingest.embedded import EmbeddedPictures
from ingest.encodings import decode
from ingest.limits import ParseLimits
from ingest.markup import without_tags, without_unseen
from ingest.media_types import MSG
from ingest.members import MemberFolder
from ingest.office_package import cut_short, lost
from ingest.quoted_mail import add_mail_text
from ingest.web_page import add_html
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

MAX_DEPTH = 20
"""Messages within messages that are read."""
_HEAD = ("Subject", "From", "To", "Cc", "Date")
_ATTACHMENTS_TITLE = "Attachments"
_WORDS = re.compile(r"\w+")
_DAMAGES = frozenset({InvalidBase64CharactersDefect, InvalidBase64LengthDefect})
"""Defects of a transfer behind which something is missing."""
_FIRST_BOUNDARY = re.compile(rb"^--([^\s-][^\r\n]{0,68}?)[ \t]*\r?$", re.MULTILINE)
_SURROGATE = re.compile("[\udc80-\udcff]")
_INVITATION = "text/calendar"
_SIGNATURE = "-- "
_SIGNATURES = frozenset({
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
})  # fmt: skip


class MailLoader:
    """Loader for mails, also those that Outlook stores: one page."""

    def __init__(
        self,
        limits: ParseLimits,
        members: MemberFolder | None = None,
        pictures: EmbeddedPictures | None = None,
    ) -> None:
        self._limits = limits
        self._members = members
        self._pictures = pictures

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield one Progress, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars, self._pictures)
        mail = Mail(name, draft, self._members)
        if media_type == MSG:
            from ingest.outlook import outlook_message

            message, losses = outlook_message(path, name)
            draft.lose(losses)
        else:
            message = parsed(path, name)
        head = mail.add_message(message)
        draft.end_page()
        yield Progress(JobStage.LOAD, 1, 1)
        metadata = _metadata(head, mail.attachments) | mail.encoding
        yield draft.finish(head["Subject"], metadata)


class Mail:
    """What is read of one file: blocks in a draft, names of attachments, doubts of encodings."""

    def __init__(
        self, name: str, draft: DraftDocument, members: MemberFolder | None = None
    ) -> None:
        self._name, self._draft, self._members = name, draft, members
        self._within = ""
        self._parts: dict[str, EmailMessage] = {}
        self._shown: set[str] = set()
        self.attachments: list[str] = []
        self.encoding: dict[str, str] = {}

    def _add_inner(self, part: EmailMessage, file_name: str, depth: int) -> None:
        """Add the messages of a part; what is attached to them lies behind its name, or theirs."""
        outside = self._within
        for inner in _parts(part):
            called = file_name or _header(inner, "Subject", "").replace("/", " ") or "message"
            if depth >= MAX_DEPTH:
                self._lose(called, f"messages are read {MAX_DEPTH} deep")
                continue
            self._within = f"{outside}{called}/"
            self.add_message(inner, depth + 1)
        self._within = outside

    def _lose(self, called: str, reason: str) -> None:
        if self._members is not None:
            self._members.lose(self._within + called, "too_deep", reason)

    def _keep(self, part: EmailMessage, file_name: str) -> None:
        """Put an attachment where documents of their own come from; what is shown, in the text."""
        if part.get_content_maintype() == "image":
            if content_id(part) in self._shown:
                return
            if not part.is_attachment():
                self._draft.add_picture(self._bytes_of(part))
                return
        if self._members is None or part.get_content_type() in _SIGNATURES:
            return
        suffix = guess_extension(part.get_content_type()) or ""
        path = self._members.path_of(self._within + (file_name or f"attachment{suffix}"))
        self._members.add(path, self._bytes_of(part))

    def _shown_part(self, address: str) -> bytes | None:
        """Return the picture that a part of this mail is, by its address in the body."""
        scheme, _, rest = address.partition(":")
        name = unquote(rest)
        part = self._parts.get(name) if scheme.lower() == "cid" else None
        if part is None:
            return None
        self._shown.add(name)
        return self._bytes_of(part)

    def _bytes_of(self, part: EmailMessage) -> bytes:
        """Return the content of a part; one that was not sent whole is named."""
        data, damage = sent(part)
        if damage:
            error = DocumentError(damage, code="corrupt_document")
            self._draft.lose([lost(self._within + _called(part), error)])
        return data

    def add_message(self, message: EmailMessage, depth: int = 0) -> dict[str, str]:
        """Add head, body and names of attachments of a message; return the head."""
        charset = _charset_within(message)
        head = {field: _header(message, field, charset) for field in _HEAD}
        self._draft.add("\n".join(f"{field}: {value}" for field, value in head.items() if value))
        self._parts |= {name: p for p in message.walk() if (name := content_id(p))}
        if _is_cut_short(message):
            self._draft.lose([cut_short(self._within.rstrip("/") or self._name)])
        num_before = len(self.attachments)
        self._add_part(message, depth)
        named = self.attachments[num_before:]
        if named:
            self._draft.add(f"{_ATTACHMENTS_TITLE}: {', '.join(named)}")
        return head

    def _add_part(self, part: EmailMessage, depth: int) -> bool:
        """Add what a part says; False where it cannot be read, which costs nothing beside it."""
        outside = self._within
        try:
            self._read_part(part, depth)
        except DocumentError as error:
            if error.code == "document_too_large":
                raise
            self._within = outside
            self._draft.lose([lost(outside + _called(part), error)])
            return False
        return True

    def _read_part(self, part: EmailMessage, depth: int) -> None:
        kind = part.get_content_type()
        file_name = _shown(part.get_filename() or "", "")
        if file_name:
            self.attachments.append(file_name)
        if kind == "message/rfc822":
            self._add_inner(part, file_name, depth)
        elif kind == "message/delivery-status":
            self._add_status(part)
        elif kind == "multipart/alternative":
            self._add_alternative(_parts(part), depth)
        elif part.get_content_maintype() == "multipart":
            for inner in _parts(part):
                self._add_part(inner, depth)
        elif kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
            raise DocumentError("an encrypted part", code="encrypted_document")
        elif part.get_content_maintype() == "text" and not part.is_attachment():
            self._add_text(part)
        else:
            self._keep(part, file_name)

    def _add_status(self, part: EmailMessage) -> None:
        """Add the fields of a report of a mail server; those that are no text are lost."""
        for fields in _parts(part):
            lines: list[str] = []
            for name in fields:
                try:
                    lines.append(f"{name}: {_header(fields, name, '')}")
                except DocumentError as error:
                    self._draft.lose([lost(f"{self._within}{name}", error)])
            self._draft.add("\n".join(lines))

    def _add_alternative(self, parts: list[EmailMessage], depth: int) -> None:
        """Add the alternative that is easiest to read, unless another says much more.

        One that cannot be read is no choice while there are others.
        """
        lengths = [sum(_words_in(part, self._name) for part in p.walk()) for p in parts]
        most = max(lengths, default=0)
        order = sorted(range(len(parts)), key=lambda n: lengths[n] < most / 2)
        chosen = next((n for n in order if self._add_part(parts[n], depth)), None)
        for other in (part for number, part in enumerate(parts) if number != chosen):
            self._add_own(other, depth)

    def _add_own(self, part: EmailMessage, depth: int) -> None:
        """Add what an alternative that is not shown has alone: invitations, attachments."""
        if part.get_content_type() != _INVITATION and not part.is_attachment():
            for inner in _parts(part) if part.is_multipart() else ():
                self._add_own(inner, depth)
            return
        self._add_part(part, depth)

    def _add_text(self, part: EmailMessage) -> None:
        declared = part.get_content_charset() or ""
        content = decode(self._bytes_of(part), self._name, declared=declared)
        self.encoding |= content.metadata
        if part.get_content_subtype() == "html":
            add_html(self._draft, content.text, self._shown_part)
            return
        text = unfolded(content.text) if part.get_content_type() == _INVITATION else content.text
        if str(part.get_param("format", "")).lower() == "flowed":
            text = unflowed(text, deletes_space=str(part.get_param("delsp", "")).lower() == "yes")
        add_mail_text(self._draft, text)


def unflowed(text: str, *, deletes_space: bool) -> str:
    """Join the lines that a program has broken: those that end with a space (RFC 3676)."""
    lines: list[str] = []
    is_open = False
    depth = 0
    for raw in text.splitlines():
        line = raw.lstrip(">")
        own_depth = len(raw) - len(line)
        line = line.removeprefix(" ")
        if is_open and own_depth == depth and line != _SIGNATURE:
            lines[-1] += line
        else:
            lines.append(f"{'>' * own_depth} {line}" if own_depth else line)
        is_open, depth = line.endswith(" ") and line != _SIGNATURE, own_depth
        if is_open and deletes_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def parsed(path: Path, name: str) -> EmailMessage:
    """Return the message of a file. Raises DocumentError."""
    data = path.read_bytes()
    if b"\0" in data[:200]:  # a mail is ASCII; this one was saved as UTF-16
        data = decode(data, name).text.encode()
    message = _understood(data)
    if message.get_content_type() in ("application/pkcs7-mime", "multipart/encrypted"):
        raise DocumentError(
            f"{name} is an encrypted message; save it decrypted", code="encrypted_document"
        )
    if not message.keys():
        raise DocumentError(f"{name} has no mail header", code="corrupt_document")
    return message


def _understood(data: bytes) -> EmailMessage:
    """Return a message whose heads that tell of parts are parsed once, not at each look."""
    message = BytesParser(policy=policy.default).parsebytes(data)
    for part in message.walk():
        for field in ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding"):
            if field in part:
                part.replace_header(field, part[field])
    return message


def _parts(part: EmailMessage) -> list[EmailMessage]:
    """Return the parts of a multipart, found by their first line where the head names none."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [inner for inner in payload if isinstance(inner, EmailMessage)]
    data = str(payload).encode("utf-8", "surrogateescape")
    found = _FIRST_BOUNDARY.search(data)
    if found is None:
        head = b"Content-Type: text/plain\r\n\r\n"
        return [_understood(head + data)]
    head = b'Content-Type: multipart/mixed; boundary="' + found.group(1) + b'"\r\n\r\n'
    return _parts(_understood(head + data))


def _is_cut_short(message: EmailMessage) -> bool:
    """True where a message breaks off before the line that ends its parts."""
    return any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in message.defects)


def _charset_within(message: EmailMessage) -> str:
    """Return the first encoding that a part declares: raw heads are written in it too."""
    return next((found for part in message.walk() if (found := part.get_content_charset())), "")


def _header(message: EmailMessage, field: str, charset: str) -> str:
    """Return a header decoded; a malformed one comes back as it stands."""
    raw = (str(value) for key, value in message.raw_items() if key.lower() == field.lower())
    return " ".join(_shown(next(raw, ""), charset).split())


def _shown(value: str, charset: str) -> str:
    """Decode the encoded words of a header (RFC 2047), and bytes that it holds as they are."""
    if _SURROGATE.search(value):
        data = value.encode("utf-8", "surrogateescape")
        value = decode(data, "header", declared="" if _is_utf8(data) else charset).text
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        piece
        if isinstance(piece, str)
        else decode(piece, "header", declared=said).text
        if said
        else piece.decode("raw-unicode-escape")
        for piece, said in pieces
    )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def content_id(part: EmailMessage) -> str:
    """Return by what name other parts speak of this one, "" for none."""
    return str(part.get("Content-ID", "")).strip().strip("<>")


def _called(part: EmailMessage) -> str:
    return _shown(part.get_filename() or "", "") or part.get_content_type()


def sent(part: EmailMessage) -> tuple[bytes, str]:
    """Return the content of a part, and what of its transfer is damaged, "" for nothing."""
    num_before = len(part.defects)
    payload = part.get_payload(decode=True)
    found = [type(defect) for defect in part.defects[num_before:]]
    damage = next((kind.__doc__ or kind.__name__ for kind in found if kind in _DAMAGES), "")
    return payload if isinstance(payload, bytes) else b"", damage


def _words_in(part: EmailMessage, name: str) -> int:
    """Return how many words a text part of a mail named `name` has, 0 where it is none."""
    if part.get_content_maintype() != "text" or part.is_attachment():
        return 0
    try:
        text = decode(sent(part)[0], name, declared=part.get_content_charset() or "").text
    except DocumentError:
        return 0  # whoever adds the part names it
    return len(_WORDS.findall(without_tags(without_unseen(text), " ")))


def _metadata(head: dict[str, str], attachments: list[str]) -> dict[str, str]:
    metadata = {field.lower(): value for field, value in head.items() if field != "Date"}
    metadata["attachments"] = ", ".join(attachments)
    try:
        metadata["sent_at"] = parsedate_to_datetime(head["Date"]).isoformat()
    except ValueError:
        metadata["sent_at"] = head["Date"]
    return metadata
