"""Posts changes of answers to the addresses that people gave, where the settings allow that.

Knows which addresses are allowed and how often one is tried. A change is posted at least once: its
`id` is the same whenever it comes again. Waits for nobody but the receiver, in a thread of its own.
"""

import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from kb_service.domain.errors import InvalidRequest, KbError
from kb_service.domain.watches import AnswerChange
from kb_service.settings import WatchSettings

MAX_URL_CHARS = 2000
FIRST_PAUSE_S = 30
MAX_PAUSE_S = 6 * 3600
POLL_S = 2.0

Body = dict[str, object]
log = structlog.get_logger("webhooks")


class Outbox(Protocol):
    """Where changes wait to be posted; storage fulfils it."""

    def claim_post(self, retry_at: Callable[[int], datetime]) -> tuple[AnswerChange, str] | None:
        """Return a change that is due with its address; until `retry_at` of its number of tries
        nobody else gets it, whatever becomes of this process."""

    def posted(self, change_id: int) -> None:
        """Note that a change was taken."""

    def give_up_post(self, change_id: int) -> None:
        """Post a change no more."""


BodyOf = Callable[[AnswerChange], Body]
Post = Callable[[str, Body], None]
"""(address, JSON) -> None. Raises OSError when it was not taken, InvalidRequest when it never will.
"""


def check_webhook(url: str, settings: WatchSettings) -> None:
    """Raise InvalidRequest (webhook_not_allowed) unless the settings name the address's host."""
    if not _is_plain(url) or urlsplit(url).netloc.lower() not in settings.webhook_hosts:
        hosts = ", ".join(settings.webhook_hosts) or "none"
        raise InvalidRequest(
            f"webhook is {url[:200]!r}; http and https addresses of the hosts of "
            f"KB_WATCH__WEBHOOK_HOSTS are accepted: {hosts}",
            code="webhook_not_allowed",
        )


def _is_plain(url: str) -> bool:
    """True for an address that can be posted to as it stands, without a user or a fragment."""
    if len(url) > MAX_URL_CHARS or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and not (parts.username or parts.fragment)


class HttpPost:
    """Posts to an address that was looked up and checked; follows no redirect."""

    def __init__(self, settings: WatchSettings) -> None:
        self._settings = settings

    def __call__(self, url: str, body: Body) -> None:
        """Post JSON. Raises InvalidRequest (webhook_not_allowed), OSError."""
        import httpx

        check_webhook(url, self._settings)
        target, host = httpx.URL(url), urlsplit(url).netloc
        address = self._address(
            target.host, target.port or (443 if target.scheme == "https" else 80)
        )
        headers = {"Host": host, "Idempotency-Key": f"kb-change-{body['id']}"}
        try:
            with httpx.Client(timeout=self._settings.webhook_timeout_s, trust_env=False) as client:
                response = client.post(
                    target.copy_with(host=address),
                    json=body,
                    headers=headers,
                    extensions={"sni_hostname": target.host},
                )
        except httpx.HTTPError as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        if not response.is_success:
            raise ConnectionError(f"answered {response.status_code}")

    def _address(self, host: str, port: int) -> str:
        """Return the address to connect to, which is the one that was checked."""
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        inner = [one for one in found if not ip_address(one).is_global]
        if inner and not self._settings.webhook_private:
            raise InvalidRequest(
                f"{host} is {inner[0]}, which is inside; KB_WATCH__WEBHOOK_PRIVATE=true allows it",
                code="webhook_not_allowed",
            )
        return found[0]


class WebhookService:
    """Posts what waits in the outbox."""

    def __init__(
        self,
        outbox: Outbox,
        post: Post,
        body_of: BodyOf,
        now: Callable[[], datetime],
    ) -> None:
        self._outbox, self._post, self._body_of, self._now = outbox, post, body_of, now

    def run_until(self, is_stopped: Callable[[], bool]) -> None:
        """Post until stopped; a database that refuses is waited out."""
        while not is_stopped():
            try:
                is_idle = not self.step()
            except KbError as error:
                log.warning("nothing can be posted", code=error.code, error=error.message)
                is_idle = True
            if is_idle:
                time.sleep(POLL_S)

    def step(self) -> bool:
        """Try one change that is due; False when none is. Raises StorageError."""
        claimed = self._outbox.claim_post(lambda n: self._now() + pause(n))
        if claimed is None:
            return False
        change, url = claimed
        try:
            self._post(url, self._body_of(change))
        except InvalidRequest as error:
            log.warning("webhook refused", watch=change.watch_name, error=error.message)
            self._outbox.give_up_post(change.id)
        except OSError as error:
            log.warning("webhook not taken", watch=change.watch_name, error=str(error)[:300])
        else:
            self._outbox.posted(change.id)
        return True


def pause(num_posts: int) -> timedelta:
    """How long to wait after so many tries."""
    return timedelta(seconds=min(FIRST_PAUSE_S * 2.0 ** max(0, num_posts - 1), MAX_PAUSE_S))
