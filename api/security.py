"""Who calls: API keys, what needs one, the address to bind, response headers.

Pure functions on settings and headers, and one Keyring. Knows no route, and not what who calls may.
"""

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from api.names import host_parts, is_loopback, public_names
from kb_service.domain.errors import ConfigurationError, Unauthorized
from kb_service.domain.people import OPERATOR, Principal
from kb_service.services.keys import KeyService, principal_of_settings
from kb_service.settings import Settings

OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/favicon.ico"})
OPEN_PREFIX = "/static/"
ARGON2_PREFIX = "$argon2"

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


def check_bind(settings: Settings, were_keys_made: Callable[[], bool] = lambda: False) -> None:
    """Raise ConfigurationError for a service that others reach while it asks nobody for a key.

    Others reach it by its address, or through a proxy under the names of its settings. A proxy that
    asks who they are may stand for the key; an address that others reach needs one always, of the
    settings or one that was made, which is looked for only if all else would be refused.
    """
    if settings.api_keys:
        return
    if not is_loopback(settings.host):
        if were_keys_made():
            return
        raise ConfigurationError(
            f"KB_HOST is {settings.host!r}, which other machines reach, and no API key is set; "
            "make one with `kb keys add`, set KB_API_KEYS__<NAME>, or bind to 127.0.0.1",
            code="api_key_required",
            details={"host": settings.host},
        )
    if settings.proxy_authenticates:
        return
    named = [host for host in public_names(settings) if not _is_local(host)]
    exposed = [*named, *map(str, settings.trusted_proxies)]
    if exposed and not were_keys_made():
        raise ConfigurationError(
            f"others reach this service through a proxy ({', '.join(exposed)}), and no API key is "
            "set; make one with `kb keys add`, or set KB_API_KEYS__<NAME>, or "
            "KB_PROXY_AUTHENTICATES=true if the proxy asks every caller who they are",
            code="api_key_required",
            details={"names": exposed},
        )


def _is_local(host: str) -> bool:
    parts = host_parts(host)
    return parts is not None and is_loopback(parts[0])


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
    """The keys of the settings, plain ones as digests, argon2 hashes as they are, and those made.

    A key that passed argon2 is remembered by digest, so that it runs once a key and process. A key
    that was made is looked up each time, so that a revoked one opens nothing more.
    """

    def __init__(self, settings: Settings, keys: KeyService) -> None:
        self._keys = keys
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

    def authenticate(self, key: str | None) -> Principal:
        """Return who shows a key; Unauthorized when it is absent or wrong. May block.

        While there is no key at all everybody who reaches the service is its operator. Raises
        StorageError when it cannot be told.
        """
        of_settings = self._of_settings(key) if key is not None else None
        if of_settings is not None:
            return of_settings
        if not (self._digests or self._hashes or self._keys.are_needed()):
            return OPERATOR
        if key is None:
            raise Unauthorized(
                "an API key is needed: send Authorization: Bearer <key> or X-API-Key: <key>",
                code="api_key_missing",
            )
        found = self._keys.of_secret(key)
        if found is None:
            name = self._match_hash(key)
            found = principal_of_settings(name) if name else None
        if found is None:
            raise Unauthorized("the API key is not one of this service", code="api_key_invalid")
        return found

    def _of_settings(self, key: str) -> Principal | None:
        """Return who shows a plain key, or one whose hash was matched before."""
        digest = _digest(key)
        name = self._match_plain(digest) or self._known.get(digest)
        return principal_of_settings(name) if name else None

    def _match_plain(self, digest: bytes) -> str | None:
        # Every key is compared, so that the time does not tell which one came close.
        found = [name for name, own in self._digests.items() if hmac.compare_digest(own, digest)]
        return found[0] if found else None

    def _match_hash(self, key: str) -> str | None:
        # One at a time: argon2 is made to be expensive, and wrong keys must not take every core.
        with self._lock:
            for name, hashed in self._hashes.items():
                if self._is_match(hashed, key):
                    self._known[_digest(key)] = name
                    return name
        return None

    def _is_match(self, hashed: str, key: str) -> bool:
        try:
            return self._hasher.verify(hashed, key)
        except (Argon2Error, InvalidHashError):
            return False


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
