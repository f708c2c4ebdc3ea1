"""A model behind an OpenAI-compatible server (vLLM, SGLang, …) as a Generator and ChatGenerator.

Turns chats into the protocol's JSON and its stream into ChatEvents. Has no tokenizer: prompt
lengths are estimated, and the audit record holds no token ids. HTTP is `remote_server`'s.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from urllib.parse import urlsplit

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import ChatEvent, ChatMessage, ChatRequest
from kb_service.domain.errors import ConfigurationError, KbError
from kb_service.generation.by_chat import Habit, answer_by_chat
from kb_service.generation.driving import drive
from kb_service.generation.remote_messages import RemoteReply, chat_body
from kb_service.generation.remote_server import STREAM_END, RemoteServer
from kb_service.language.messages import message
from kb_service.services.assembly import approximate_tokens
from kb_service.services.ranges import check_range

MESSAGE_TOKENS = 8
"""Allowance for what a chat format adds to each message."""

CHECK_EVERY_S = 10.0
SCHEMES = ("http", "https")


class RemoteGenerator:
    """Answers with a model that runs elsewhere. Safe to share between threads.

    `name`: empty means the only model that the server has; it is asked on first use. `max_tokens`,
    `temperature`: used when a request names none. `max_context`: tokens that prompt and answer may
    have together.
    """

    def __init__(
        self,
        server: RemoteServer,
        name: str,
        *,
        max_tokens: int,
        temperature: float,
        max_context: int,
    ) -> None:
        self._server = server
        self._name = name
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._max_context = max_context
        self._outage: tuple[float, KbError | None] = (0.0, None)
        self._habit = Habit(thinks_first=None)

    @property
    def info(self) -> GeneratorInfo:
        """Name the model and say that text leaves this machine for it. Raises as `check` does."""
        host = urlsplit(self._server.url).netloc
        return GeneratorInfo(
            kind="remote",
            name=self.name,
            notice_en=message("sent_away", "en", host=host),
            notice_zh=message("sent_away", "zh", host=host),
        )

    @property
    def name(self) -> str:
        """The model's name on its server. Raises as `check` does while it is not known."""
        if not self._name:
            self._name = _only(self._server.url, self._server.model_names())
        return self._name

    @property
    def max_prompt_tokens(self) -> int:
        """The longest prompt to build: it leaves room for an answer, at most half the context."""
        return self._max_context - min(self._max_tokens, self._max_context // 2)

    def num_prompt_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Estimate the length of a chat's prompt: the server's tokenizer is not at hand."""
        return sum(approximate_tokens(m.content) + MESSAGE_TOKENS for m in messages)

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the words of the reply without its thoughts.

        The first reply comes whole: only its end tells whether this model's replies begin with a
        thought that nothing opens. Raises GenerationError, RemoteError, Busy.
        """
        return answer_by_chat(self, request, self._habit)

    def chat(self, request: ChatRequest) -> Generator[ChatEvent, None, None]:
        """Yield the reply as it comes in; a cancelled one just ends.

        Raises InvalidRequest (max_tokens_out_of_range), GenerationError, RemoteError, Busy.
        """
        options = request.options
        check_range("max_tokens", options.max_tokens, 1, self._max_context)
        sampling: dict[str, float | int | None] = {
            "temperature": self._temperature
            if options.temperature is None
            else options.temperature,
            "top_p": options.top_p,
            "max_tokens": options.max_tokens or self._max_tokens,
            "seed": options.seed,
        }
        reply = RemoteReply(self._server.url, sampling)
        body = chat_body(self.name, request, sampling)
        with closing(drive(self._server.chat(body), request.cancelled)) as chunks:
            for chunk in chunks:
                if chunk is STREAM_END:
                    reply.complete()
                else:
                    yield from reply.feed(chunk)
        if not request.cancelled():
            yield reply.end()

    def check(self) -> str:
        """Ask the server whether it has the model. Raises RemoteError, ConfigurationError, Busy."""
        names = self._server.model_names()
        self._name = self._name or _only(self._server.url, names)
        if self._name not in names:
            raise _no_such_model(self._server.url, self._name, names)
        return f"{self._name} at {self._server.url}"

    def outage(self) -> KbError | None:
        """Return why the model cannot be used at present, None when it can; asks now and then."""
        checked_at, problem = self._outage
        if not checked_at or time.monotonic() - checked_at > CHECK_EVERY_S:
            try:
                self.check()
                problem = None
            except KbError as error:
                problem = error
            self._outage = (time.monotonic(), problem)
        return problem


def open_remote(
    url: str,
    name: str,
    *,
    api_key: str,
    timeout_s: float,
    max_tokens: int,
    temperature: float,
    max_context: int,
) -> RemoteGenerator:
    """Return the generator for a server; connects to nothing yet. Raises ConfigurationError."""
    return RemoteGenerator(
        RemoteServer(base_url(url), api_key, timeout_s),
        name,
        max_tokens=max_tokens,
        temperature=temperature,
        max_context=max_context,
    )


def base_url(url: str) -> str:
    """Return the address before `/chat/completions`; `/v1` when the given one has no path.

    Raises ConfigurationError for what is no plain http(s) address.
    """
    try:
        parts = urlsplit(url)
        is_plain = bool(parts.hostname) and parts.scheme.lower() in SCHEMES
        has_more = "@" in parts.netloc or bool(parts.query) or bool(parts.fragment)
        _ = parts.port
    except ValueError:
        is_plain = has_more = False
    if not is_plain or has_more:
        raise ConfigurationError(
            "KB_LLM__MODEL is no plain address; expected http(s)://host[:port][/path] without "
            "user, query or fragment (the key belongs into KB_LLM__API_KEY)"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/v1'}"


def _only(url: str, names: Sequence[str]) -> str:
    if len(names) != 1:
        raise _no_such_model(url, "", names)
    return names[0]


def _no_such_model(url: str, name: str, names: Sequence[str]) -> ConfigurationError:
    listed = ", ".join(names[:20]) or "none"
    return ConfigurationError(
        f"KB_LLM__NAME is {name!r}; {url} has these models: {listed}",
        code="model_unavailable",
        details={"name": name, "models": list(names[:20])},
    )
