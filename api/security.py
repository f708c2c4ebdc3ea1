"""Who may call: API keys, the address to bind, Host and Origin checks, response headers.

Pure functions on settings and headers, and one Keyring. Knows no route.
"""

import hashlib
import hmac
import ipaddress
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from api.errors import ForbiddenHost, ForbiddenOrigin, shown
from kb_service.domain.errors import ConfigurationError, Unauthorized
from kb_service.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/favicon.ico"})
OPEN_PREFIX = "/static/"
ARGON2_PREFIX = "$argon2"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Set on every response that does not set them itself."""


def is_loopback(host: str) -> bool:
    """True when only this machine can reach an address or name."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_bind(settings: Settings) -> None:
    """Raise ConfigurationError for an address that others reach while no API key is set."""
    if is_loopback(settings.host) or settings.api_keys:
        return
    raise ConfigurationError(
        f"KB_HOST is {settings.host!r}, which other machines reach, and no API key is set; "
        "set KB_API_KEYS__<NAME>, or bind to 127.0.0.1",
        code="api_key_required",
        details={"host": settings.host},
    )


def check_host(settings: Settings, host_header: str | None) -> None:
    """Raise ForbiddenHost for a name this service is not known by.

    A loopback service answers to loopback names only, else a foreign page could point its own name
    at 127.0.0.1 and read everything (DNS rebinding). Elsewhere the API key protects.
    """
    if not is_loopback(settings.host):
        return
    name = _host_name(host_header or "")
    if name in LOOPBACK_NAMES or (name and name == settings.host.lower()):
        return
    raise ForbiddenHost(
        f"the Host header is {shown(host_header)}; expected localhost, 127.0.0.1, [::1] "
        f"or {settings.host}",
        details={"host": shown(host_header)},
    )


def _host_name(host_header: str) -> str:
    try:
        return (urlsplit(f"//{host_header}").hostname or "").lower()
    except ValueError:
        return ""


def check_origin(method: str, headers: Mapping[str, str]) -> None:
    """Raise ForbiddenOrigin when a browser changes state on behalf of another site.

    `headers` has lower-case names. Sec-Fetch-Site cannot be forged by a page and decides when
    present; older browsers send Origin, which must name the host that was called.
    """
    if method in SAFE_METHODS:
        return
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None:
        is_own = site in {"same-origin", "none"}
    else:
        is_own = origin is None or _netloc(origin) == headers.get("host", "").lower()
    if not is_own:
        raise ForbiddenOrigin(
            f"the request comes from {shown(origin or site)}; pages of other origins may not "
            "change anything here",
            details={"origin": shown(origin), "sec_fetch_site": shown(site)},
        )


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower() or "null"
    except ValueError:
        return "null"


def is_open(path: str) -> bool:
    """True for what needs no key: health, and the page that asks for the key."""
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIX)


def presented_key(headers: Mapping[str, str]) -> str | None:
    """Return the key of `Authorization: Bearer …` or `X-API-Key: …`."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key") or None


class Keyring:
    """The configured API keys: plain ones as digests, argon2 hashes as they are.

    A key that passed is remembered by digest, so that argon2 runs once a key and process.
    """

    def __init__(self, settings: Settings) -> None:
        self._digests: dict[str, bytes] = {}
        self._hashes: dict[str, str] = {}
        self._known: dict[bytes, str] = {}
        self._lock = threading.Lock()
        self._hasher = PasswordHasher()
        for name, secret in settings.api_keys.items():
            value = secret.get_secret_value().strip()
            if not value:
                raise ConfigurationError(
                    f"KB_API_KEYS__{name.upper()} is empty; expected at least 1 character",
                    code="invalid_setting",
                )
            if value.startswith(ARGON2_PREFIX):
                self._hashes[name] = value
            else:
                self._digests[name] = _digest(value)

    @property
    def is_empty(self) -> bool:
        """True when no key is configured and everybody who reaches the service may call."""
        return not self._digests and not self._hashes

    def authenticate(self, key: str | None) -> str:
        """Return the name of the key; Unauthorized when it is absent or wrong. May block."""
        if key is None:
            raise Unauthorized(
                "an API key is needed: send Authorization: Bearer <key> or X-API-Key: <key>",
                code="api_key_missing",
            )
        digest = _digest(key)
        name = self._match_plain(digest) or self._known.get(digest) or self._match_hash(key, digest)
        if name is None:
            raise Unauthorized("the API key is not one of this service", code="api_key_invalid")
        return name

    def _match_plain(self, digest: bytes) -> str | None:
        # Every key is compared, so that the time does not tell which one came close.
        found = [name for name, own in self._digests.items() if hmac.compare_digest(own, digest)]
        return found[0] if found else None

    def _match_hash(self, key: str, digest: bytes) -> str | None:
        # One at a time: argon2 is made to be expensive, and wrong keys must not take every core.
        with self._lock:
            for name, hashed in self._hashes.items():
                if self._is_match(hashed, key):
                    self._known[digest] = name
                    return name
        return None

    def _is_match(self, hashed: str, key: str) -> bool:
        try:
            return self._hasher.verify(hashed, key)
        except (Argon2Error, InvalidHashError):
            return False


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
