"""HTTP to one OpenAI-compatible server: its models, and a chat as a stream of JSON objects.

Goes to the configured address only: redirects are not followed, proxies and credentials of the
environment are not used. Knows statuses, timeouts and server-sent events; not what a chat means.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache

import httpx
import orjson

from kb_service.domain.errors import Busy, GenerationError, KbError, RemoteError

CONNECT_TIMEOUT_S = 5.0
CHECK_TIMEOUT_S = 3.0
RETRY_PAUSES_S = (0.5, 1.5)
"""Pauses before the second and the third try, while nothing of an answer has come."""

RETRIED_STATUSES = frozenset({502, 503, 504})
MAX_EVENT_BYTES = 1024 * 1024
MAX_JSON_BYTES = 1024 * 1024
MAX_SHOWN_CHARS = 300
STREAMED_TYPES = ("text/event-stream", "application/json")
"""The second by servers that do not stream."""

DONE = b"[DONE]"
STREAM_END = object()
"""Yielded last when the server said, or the framing of its answer shows, that this is all."""

_TOO_LONG = ("context length", "context_length", "maximum context", "too long", "max_model_len")


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """`url` ends before `/chat/completions`. `timeout_s` bounds the wait for the next bytes."""

    url: str
    api_key: str = field(default="", repr=False)
    timeout_s: float = 120.0

    def model_names(self) -> list[str]:
        """Return the names of the models it lists. Raises RemoteError, Busy."""
        with self._translated(), self._client(CHECK_TIMEOUT_S) as client:
            with client.stream("GET", f"{self.url}/models") as response:
                content = b"".join(_limited(response.iter_bytes()))
            self._check_status(response.status_code, response.headers, content)
        try:
            return [str(item["id"]) for item in orjson.loads(content)["data"]]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise self._malformed("the list of models is not of the OpenAI shape") from error

    async def chat(self, body: Mapping[str, object]) -> AsyncGenerator[object, None]:
        """Yield the parsed objects of a streamed chat, then STREAM_END unless it just stops.

        A server that cannot be reached or is overloaded is tried again until it answers. Raises
        RemoteError, Busy, GenerationError (prompt_too_long, remote_refused).
        """
        with self._translated():
            async with (
                self._async_client() as client,
                self._opened(client, body) as response,
                aclosing(self._events(response)) as events,
            ):
                async for data in events:
                    yield STREAM_END if data == DONE else self._parsed(data)

    async def _events(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Yield the data of the events up to DONE, which the framing of the body can stand for."""
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            yield b"".join([piece async for piece in _limited_async(response)])
            yield DONE
            return
        reader = EventReader()
        async for piece in response.aiter_bytes():
            for data in reader.feed(piece):
                yield data
                if data == DONE:
                    return
        for data in reader.flush():
            yield data
        if is_framed(response.headers):
            yield DONE

    @asynccontextmanager
    async def _opened(
        self, client: httpx.AsyncClient, body: Mapping[str, object]
    ) -> AsyncGenerator[httpx.Response, None]:
        request = client.build_request(
            "POST",
            f"{self.url}/chat/completions",
            content=orjson.dumps(body),
            headers={"Content-Type": "application/json", "Accept": "text/event-stream"},
        )
        response = await self._sent(client, request)
        try:
            if response.status_code != httpx.codes.OK:
                content = b"".join([piece async for piece in _limited_async(response)])
                self._check_status(response.status_code, response.headers, content)
            if not response.headers.get("content-type", "").startswith(STREAMED_TYPES):
                raise self._malformed("its answer to a streamed chat is no event stream")
            yield response
        finally:
            await response.aclose()

    async def _sent(self, client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        for pause_s in RETRY_PAUSES_S:
            try:
                response = await client.send(request, stream=True)
                if response.status_code not in RETRIED_STATUSES:
                    return response
                await response.aclose()
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError):
                pass  # nothing was answered yet: the last try below tells what is wrong
            await asyncio.sleep(pause_s)
        return await client.send(request, stream=True)

    def _client(self, timeout_s: float) -> httpx.Client:
        return httpx.Client(
            timeout=timeout_s, headers=self._headers(), trust_env=False, verify=_certificates()
        )

    def _async_client(self) -> httpx.AsyncClient:
        timeout = httpx.Timeout(self.timeout_s, connect=min(CONNECT_TIMEOUT_S, self.timeout_s))
        return httpx.AsyncClient(
            timeout=timeout, headers=self._headers(), trust_env=False, verify=_certificates()
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            is_connect = isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
            raise self._error(
                "does not accept a connection" if is_connect else "sent nothing in time",
                "remote_unreachable" if is_connect else "remote_timeout",
            ) from error
        except httpx.ConnectError as error:
            raise self._error(f"cannot be reached: {error}", "remote_unreachable") from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise self._error(f"broke off: {error}", "remote_failed") from error

    def _check_status(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        """Raise the error of a status that is not 200."""
        if status == httpx.codes.OK:
            return
        said = self._shown(error_text(content))
        raise self._error_of(status, headers, said)

    def _error_of(self, status: int, headers: Mapping[str, str], said: str) -> KbError:
        if 300 <= status < 400:
            place = self._shown(headers.get("location", ""))
            return self._error(f"redirects to {place!r}, which is not followed", "remote_failed")
        if status in (401, 403):
            return self._error(f"refuses the key in KB_LLM__API_KEY: {said}", "remote_unauthorized")
        if status in (429, 503):
            return Busy(f"{self.url} is busy: {said}", code="remote_busy")
        if status in (400, 413, 422):
            is_long = any(mark in said.lower() for mark in _TOO_LONG)
            code = "prompt_too_long" if is_long else "remote_refused"
            return GenerationError(f"{self.url} refuses the request: {said}", code=code)
        return self._error(f"answers {status}: {said}", "remote_failed")

    def _parsed(self, data: bytes) -> object:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise self._malformed(f"an event is not JSON: {error.msg}") from error

    def _malformed(self, problem: str) -> RemoteError:
        return self._error(f"does not speak the protocol: {problem}", "remote_malformed")

    def _error(self, problem: str, code: str) -> RemoteError:
        return RemoteError(f"{self.url} {problem}", code=code, details={"url": self.url})

    def _shown(self, text: str) -> str:
        """Return what the server said, short, printable and without our key."""
        if self.api_key:
            text = text.replace(self.api_key, "<key>")
        return "".join(c if c.isprintable() else " " for c in text[:MAX_SHOWN_CHARS])


class EventReader:
    """Bytes in, the data of server-sent events out; pieces may end anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the data lines that are complete. Raises RemoteError when one never ends."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise RemoteError(
                f"an event has more than {MAX_EVENT_BYTES} bytes", code="remote_malformed"
            )
        for line in lines:
            yield from _data_of(line)

    def flush(self) -> Iterator[bytes]:
        """Yield the data of a last line that no line end closes."""
        yield from _data_of(self._rest)
        self._rest = b""


def _data_of(line: bytes) -> Iterator[bytes]:
    if line.startswith(b"data:") and (data := line[5:].strip()):
        yield data


def is_framed(headers: Mapping[str, str]) -> bool:
    """True when a body that is cut short is noticed: otherwise its end is just the connection's."""
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()


def error_text(content: bytes) -> str:
    """Return the message of an error body, or its beginning as it is."""
    try:
        body = orjson.loads(content)
        error = body.get("error", body)
        text = error if isinstance(error, str) else f"{error['message']} {error.get('code') or ''}"
        return text.strip()
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return content[:MAX_SHOWN_CHARS].decode("utf-8", "replace")


def _limited(pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_JSON_BYTES:
            return
        yield piece


async def _limited_async(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > MAX_JSON_BYTES:
            return
        yield piece


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()
