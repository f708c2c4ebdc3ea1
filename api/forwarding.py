"""What a trusted proxy says of its client: address, scheme, host, path prefix.

Believed from the addresses of KB_TRUSTED_PROXIES only; from any other the headers mean nothing.
Client address and scheme are uvicorn's to read, host and prefix are read here.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.names import Site, host_parts, is_trusted, valid_prefix
from kb_service.settings import Settings

__all__ = ["Forwarding", "is_trusted", "site_of"]


class Forwarding:
    """Notes in `state.site` how the client reached the service."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._proxied = ProxyHeadersMiddleware(
            self._note,  # type: ignore[arg-type]  # uvicorn's types name the same ASGI
            [str(network) for network in settings.trusted_proxies],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer = scope.get("client") or ("", 0)
        if not is_trusted(self._settings.trusted_proxies, peer[0]):
            scope.setdefault("state", {})["site"] = direct_site(self._settings, scope)
            await self._app(scope, receive, send)
            return
        await self._proxied(scope, receive, send)  # type: ignore[arg-type]  # the same ASGI

    async def _note(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["site"] = forwarded_site(self._settings, scope)
        await self._app(scope, receive, send)


def site_of(scope: Scope) -> Site:
    """Return how the client reached the service."""
    site: Site = scope["state"]["site"]
    return site


def direct_site(settings: Settings, scope: Scope) -> Site:
    """Return what the Host header says; the public address in full where it names that."""
    host = Headers(scope=scope).get("host", "")
    public = urlsplit(settings.public_url)
    if public.netloc and host.lower() == public.netloc.lower():
        return Site(public.scheme, host, public.path)
    return Site(str(scope["scheme"]), host)


def forwarded_site(settings: Settings, scope: Scope) -> Site:
    """Return what a trusted proxy says; where it is silent, what the Host header says."""
    headers = Headers(scope=scope)
    host = _last(headers.get("x-forwarded-host"))
    named = {**scope, "headers": [(b"host", host.encode("latin-1"))]} if host_parts(host) else scope
    site = direct_site(settings, named)
    prefix = headers.get("x-forwarded-prefix")
    return Site(
        str(scope["scheme"]) if "x-forwarded-proto" in headers else site.scheme,
        site.host,
        site.prefix if prefix is None else valid_prefix(_last(prefix)),
    )


def _last(value: str | None) -> str:
    """Return what the nearest proxy wrote of a list."""
    return (value or "").rpartition(",")[2].strip()
