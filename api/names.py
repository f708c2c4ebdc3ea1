"""The names this service is known by, and who may speak for whom: Host, Origin, trusted proxies.

Pure functions on settings and headers. Knows no route and no key.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from api.errors import ForbiddenHost, ForbiddenOrigin
from kb_service.services.ranges import shown
from kb_service.settings import Settings

SLASH_IN_SEGMENT = "\x1f"
"""Stands for an encoded slash inside a path segment until the path parameter is read."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]+))(?::(?P<port>\d{1,5}))?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+/?")
MAX_PREFIX_CHARS = 200


@dataclass(frozen=True, slots=True)
class Site:
    """How the client reached the service, as far as a trusted proxy or the Host header tells."""

    scheme: str
    host: str
    prefix: str = ""

    @property
    def url(self) -> str:
        """The address of the service for this client; ends with a slash."""
        return f"{self.scheme}://{self.host}{self.prefix}/"


def is_loopback(host: str) -> bool:
    """True when only this machine can reach an address or name."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_trusted(proxies: Sequence[IPv4Network | IPv6Network], address: str) -> bool:
    """True for the address of a proxy whose headers are believed."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(mapped in network for network in proxies)


def host_parts(host: str) -> tuple[str, int | None] | None:
    """Return (name, port) of a Host header; None when it is not one."""
    match = _HOST.fullmatch(host)
    if match is None or int(match["port"] or 0) > 65535:
        return None
    name = (match["v6"] or match["name"]).lower()
    return name, int(match["port"]) if match["port"] else None


def public_names(settings: Settings) -> tuple[str, ...]:
    """Return the hosts, with their ports, that the settings give the service beyond its address."""
    public = (urlsplit(settings.public_url).netloc.lower(),) if settings.public_url else ()
    return (*public, *settings.allowed_hosts)


def check_host(settings: Settings, host_header: str | None) -> None:
    """Raise ForbiddenHost for a name this service is not known by.

    A loopback service answers to loopback names and those of its settings only, else a foreign page
    could point its own name at 127.0.0.1 and read everything (DNS rebinding). Elsewhere the API key
    protects, and only names that were set restrict.
    """
    names = {parts[0] for host in public_names(settings) if (parts := host_parts(host))}
    parts = host_parts(host_header or "")
    is_open = not is_loopback(settings.host) and not names
    if (parts and (is_open or parts[0] in names)) or (is_open and not host_header):
        return
    if parts and parts[0] in {*LOOPBACK_NAMES, settings.host.lower()}:
        return
    expected = [*sorted(names), "localhost", "127.0.0.1", "[::1]"]
    raise ForbiddenHost(
        f"the Host header is {shown(host_header)}; expected {', '.join(expected)} or "
        f"{settings.host}; further names are set with KB_PUBLIC_URL or KB_ALLOWED_HOSTS",
        details={"host": shown(host_header)},
    )


def check_origin(settings: Settings, site: Site, method: str, headers: Mapping[str, str]) -> None:
    """Raise ForbiddenOrigin when a browser changes state on behalf of another site.

    `headers` has lower-case names. Sec-Fetch-Site cannot be forged by a page and decides when
    present; older browsers, and pages without TLS, send Origin, which must be the service's own.
    """
    if method in SAFE_METHODS:
        return
    fetch_site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if fetch_site is not None:
        is_own = fetch_site in {"same-origin", "none"}
    else:
        is_own = origin is None or _is_own(settings, site, origin)
    if not is_own:
        raise ForbiddenOrigin(
            f"the request comes from {shown(origin or fetch_site)}; pages of other origins may not "
            "change anything here; behind a proxy its address is set with KB_PUBLIC_URL",
            details={"origin": shown(origin), "sec_fetch_site": shown(fetch_site)},
        )


def _is_own(settings: Settings, site: Site, origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    asked = _place(parts.scheme, parts.netloc)
    if asked is None:
        return False
    own = {_place(site.scheme, site.host)}
    if settings.public_url:
        public = urlsplit(settings.public_url)
        own.add(_place(public.scheme, public.netloc))
    schemes = tuple(DEFAULT_PORTS)
    own |= {_place(scheme, host) for host in settings.allowed_hosts for scheme in schemes}
    if not is_loopback(settings.host):
        # TLS may end before the service without a word of it; the API key protects there.
        own |= {_place(scheme, site.host) for scheme in schemes}
    return asked in own


def _place(scheme: str, host: str) -> tuple[str, str, int] | None:
    parts = host_parts(host)
    if parts is None or scheme not in DEFAULT_PORTS:
        return None
    return scheme, parts[0], parts[1] or DEFAULT_PORTS[scheme]


def valid_prefix(prefix: str) -> str:
    """Return a path prefix without its last slash; "" for what is none."""
    is_valid = len(prefix) <= MAX_PREFIX_CHARS and _PREFIX.fullmatch(prefix)
    return prefix.rstrip("/") if is_valid else ""
