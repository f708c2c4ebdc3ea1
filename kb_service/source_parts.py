"""Which source stands behind the place of a sync. Opens it when it is asked for, and not before.

With `s3_parts` the only module that knows the libraries which speak to other machines. Names and
passwords come from the settings or, for S3, from Amazon's own environment; never from the address.
"""

import ssl
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from kb_service.domain.errors import ConfigurationError, InvalidRequest
from kb_service.domain.sources import Source
from kb_service.domain.sync import SyncOrder
from kb_service.s3_parts import lacking, open_s3
from kb_service.services.folders import LocalFolder
from kb_service.settings import SourceAccount, SyncSettings
from kb_service.sources.remote import Opened, RemoteFolder

_IMAP_PORTS = {"imap": 143, "imaps": 993}
_SCHEMES = ("s3", "webdav", "webdavs", *_IMAP_PORTS)


def open_source(order: SyncOrder, settings: SyncSettings, data_dir: Path) -> Source:
    """Return the source of an order.

    Raises InvalidRequest (unknown_source, password_in_address), ConfigurationError
    (unknown_account, extra_missing).
    """
    if "://" not in order.place:
        return LocalFolder(Path(order.place), data_dir, settings.settle_s)
    address = _address(order.place)
    if address.password is not None or address.query:
        raise InvalidRequest(
            "an address holds no password: put it into KB_SYNC__ACCOUNTS__<NAME>__PASSWORD",
            code="password_in_address",
        )
    account = _account(order.account, settings)
    if address.scheme in _IMAP_PORTS:
        return _mailbox(address, account, settings.timeout_s)
    staging = data_dir / "tmp"
    if address.scheme == "s3":
        opened = open_s3(account, settings.timeout_s)
        root = f"{address.netloc}{unquote(address.path)}"
        return RemoteFolder(opened, root, f"sync:{_plain(address)}", staging)
    opened = _webdav(address, account, settings.timeout_s)
    return RemoteFolder(opened, "", f"sync:{_plain(address)}", staging)


def _address(place: str) -> SplitResult:
    scheme = place.partition("://")[0].lower()
    reason = f"{scheme}:// is no source; known are folders, {', '.join(_SCHEMES)}"
    if scheme in _SCHEMES:
        reason = f"the address of {scheme}:// names no host, or no port from 1 to 65535"
        with suppress(ValueError):
            address = urlsplit(place)
            if address.hostname and address.port != 0:
                return address
    raise InvalidRequest(reason, code="unknown_source")


def _account(name: str, settings: SyncSettings) -> SourceAccount:
    if not name:
        return SourceAccount()
    found = settings.accounts.get(name.lower())
    if found is None:
        raise ConfigurationError(
            f"no account {name!r} under KB_SYNC__ACCOUNTS or [sync.accounts]",
            code="unknown_account",
        )
    return found


def _plain(address: SplitResult) -> str:
    return address._replace(fragment="").geturl().rstrip("/")


def _context(account: SourceAccount) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=account.ca_file or None)
    except OSError as error:
        raise ConfigurationError(f"{account.ca_file}: no certificates: {error}") from error


def _mailbox(address: SplitResult, account: SourceAccount, timeout_s: float) -> Source:
    from kb_service.sources.mailbox import Mailbox, MailboxAddress

    opened = MailboxAddress(
        host=str(address.hostname),
        port=address.port or _IMAP_PORTS[address.scheme],
        folder=unquote(address.path).strip("/") or "INBOX",
        user=account.user or unquote(address.username or ""),
        password=account.password.get_secret_value(),
        context=_context(account) if account.tls else None,
        is_implicit=address.scheme == "imaps",
        timeout_s=timeout_s,
    )
    return Mailbox(opened)


def _webdav(address: SplitResult, account: SourceAccount, timeout_s: float) -> Opened:
    try:
        import httpx
        from webdav4.client import ClientError
        from webdav4.fsspec import WebdavFileSystem
    except ImportError as error:
        raise lacking(f"{address.scheme}://", error) from error
    is_open = address.scheme == "webdav" and not account.tls
    host = address.netloc.rpartition("@")[2]
    secret = account.password.get_secret_value()
    filesystem = WebdavFileSystem(
        f"{'http' if is_open else 'https'}://{host}{address.path}",
        auth=(account.user, secret) if account.user else None,
        verify=_context(account),
        timeout=timeout_s,
        trust_env=False,
        skip_instance_cache=True,
    )
    failures = (OSError, ClientError, httpx.HTTPError)
    return Opened(filesystem, failures, (secret,))
