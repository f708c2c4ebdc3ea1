"""A folder of an IMAP mailbox: each mail a file, known by UID and UIDVALIDITY.

Knows IMAP4rev1 (RFC 3501); reads no mail but its subject and date. The folder is opened read-only
and nothing is marked as seen.
"""

import imaplib
import io
import re
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import policy
from email.parser import BytesHeaderParser
from typing import Any, NoReturn

from kb_service.domain.errors import DocumentError, SourceError
from kb_service.domain.sources import Fetched, SourceFile, SourceListing
from kb_service.sources.remote import told

_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]+")
_NOT_ASCII = re.compile(r"[^\x20-\x7e]+")
MAX_SUBJECT_CHARS = 60
_FAILURES = (imaplib.IMAP4.error, OSError)


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """Where a mailbox is. `is_implicit`: TLS from the first byte; else by STARTTLS.

    `context`: None lets the password and the mails travel in the open.
    """

    host: str
    port: int
    folder: str
    user: str
    password: str
    context: ssl.SSLContext | None
    is_implicit: bool = True
    timeout_s: float = 60.0

    @property
    def text(self) -> str:
        """The address without its secret."""
        return f"imap://{self.user}@{self.host}:{self.port}/{self.folder}"


class Mailbox:
    """Source over one folder of a mailbox. A mail of one UID never changes."""

    are_stamps_sure = True

    def __init__(self, address: MailboxAddress) -> None:
        self._address = address
        self._connection: imaplib.IMAP4 | None = None

    @property
    def origin(self) -> str:
        """The name under which documents of this folder are remembered."""
        return f"sync:{self._address.text}"

    def listing(self) -> SourceListing:
        """Return the mails that are not marked as deleted. Raises SourceError."""
        files: dict[str, SourceFile] = {}
        validity, num_mails = self._examined()
        found = self._asked("FETCH", "1:*", "(UID RFC822.SIZE FLAGS)") if num_mails else []
        for line in found:
            head = line[0] if isinstance(line, tuple) else line or b""
            uid, size = _UID.search(head), _SIZE.search(head)
            if uid and size and b"\\Deleted" not in head:
                path = f"{validity}/{uid[1].decode()}.eml"
                files[path] = SourceFile(path, int(size[1]), path)
        return SourceListing(files)

    @contextmanager
    def fetch(self, file: SourceFile, max_bytes: int | None = None) -> Iterator[Fetched]:
        """Fetch a mail without marking it as seen."""
        uid = file.path.rpartition("/")[2].removesuffix(".eml")
        part = "BODY.PEEK[]" if max_bytes is None else f"BODY.PEEK[]<0.{max_bytes}>"
        found = self._asked("FETCH", uid, f"({part})")
        content = next((line[1] for line in found if isinstance(line, tuple)), None)
        if content is None:
            raise DocumentError(f"mail {file.path} is gone by now", code="file_changing")
        yield Fetched(io.BytesIO(content), name_of(content))

    def close(self) -> None:
        """Log out."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*_FAILURES):
                connection.logout()

    def _examined(self) -> tuple[str, int]:
        """Open the folder read-only; return its UIDVALIDITY and the number of its mails."""
        with self._typed(f"folder {self._address.folder!r} cannot be opened"):
            connection = self._connected()
            name = f'"{mailbox_name(self._address.folder)}"'
            kind, data = connection.select(name, readonly=True)
            if kind != "OK":
                raise imaplib.IMAP4.error(data[0])
            _, validity = connection.response("UIDVALIDITY")
            if not validity or not validity[0]:
                raise imaplib.IMAP4.error("the server names no UIDVALIDITY")
            return validity[0].decode("ascii"), int(data[0] or 0)

    def _asked(self, *command: str) -> list[Any]:
        with self._typed("mails cannot be fetched"):
            kind, data = self._connected().uid(*command)
            if kind != "OK":
                raise imaplib.IMAP4.error(data[0])
            return data

    def _connected(self) -> imaplib.IMAP4:
        if self._connection is None:
            address = self._address
            self._connection = _connect(address)
            _log_in(self._connection, address.user, address.password)
        return self._connection

    @contextmanager
    def _typed(self, what: str) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            self._fail(what, error)

    def _fail(self, what: str, error: Exception) -> NoReturn:
        secrets = (self._address.password,)
        raise SourceError(f"{self._address.text}: {what}: {told(error, secrets)}") from None


def _connect(address: MailboxAddress) -> imaplib.IMAP4:
    host, port, timeout = address.host, address.port, address.timeout_s
    if address.context is not None and address.is_implicit:
        return imaplib.IMAP4_SSL(host, port, ssl_context=address.context, timeout=timeout)
    connection = imaplib.IMAP4(host, port, timeout=timeout)
    if address.context is not None:
        connection.starttls(address.context)
    return connection


def _log_in(connection: imaplib.IMAP4, user: str, password: str) -> None:
    if "AUTH=PLAIN" in connection.capabilities:
        reply: Callable[[bytes], bytes] = lambda _: f"\0{user}\0{password}".encode()  # noqa: E731
        connection.authenticate("PLAIN", reply)
    else:
        connection.login(user, password)


def name_of(content: bytes) -> str:
    """Return what the document of a mail is called: its time and subject.

    The same mail has the same name after a server has numbered its mails anew.
    """
    head = BytesHeaderParser(policy=policy.default).parsebytes(content)
    subject = date = ""
    with suppress(ValueError, LookupError, AttributeError, TypeError, IndexError):
        subject = " ".join(_UNNAMEABLE.sub(" ", str(head["subject"] or "")).split())
    with suppress(ValueError, LookupError, AttributeError, TypeError, IndexError):
        date = f"{head['date'].datetime:%Y-%m-%d %H.%M}"
    return f"{date} {subject[:MAX_SUBJECT_CHARS].strip() or 'mail'}".strip() + ".eml"


def mailbox_name(name: str) -> str:
    """Return a folder's name in modified UTF-7 (RFC 3501, 5.1.3), ready to be quoted."""
    encoded = _NOT_ASCII.sub(_in_base64, name.replace("&", "&-"))
    return encoded.replace("\\", "\\\\").replace('"', '\\"')


def _in_base64(found: re.Match[str]) -> str:
    body = b64encode(found[0].encode("utf-16-be")).decode("ascii")
    return f"&{body.rstrip('=').replace('/', ',')}-"
