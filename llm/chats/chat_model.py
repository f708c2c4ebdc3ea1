"""A whole model folder as one object: messages in, text out.

Puts tokenizer, chat format, engine and reply reading together. Knows no documents, no HTTP and no
settings; what to say to the model is the caller's part.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from llm.chats.chat import ModelMessage, PromptSegment, prompt_ids
from llm.chats.chat_formats import ChatFormat, chat_format
from llm.chats.reply import ReplyRules, ReplyText
from llm.chats.tool_calls import ParsedToolCall
from llm.checkpoints.checkpoint import LoadOptions, load_model, read_config
from llm.checkpoints.tokenizer_choice import has_prefix, load_tokenizer
from llm.checkpoints.weight_files import weight_files
from llm.constraints import Constraint, QuoteConstraint, QuoteVocabulary
from llm.decoding import FinishReason, GeneratedToken, SamplingParams, TokenUsage
from llm.errors import CheckpointError, PromptTooLong
from llm.tokenizers import Tokenizer

if TYPE_CHECKING:
    from llm.engine.engine import Engine, TokenStream
    from llm.engine.scheduler import EngineLimits


# Up to here encoding takes well under a second, and errors name the exact number of tokens.
_ENDLESS_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What exactly answered: SHA-256 over config and weights, and over the tokenizer file."""

    model: str
    tokenizer: str


class ChatModel:
    """A loaded model that answers chats. Safe to share between threads; chats run side by side."""

    def __init__(
        self, folder: Path, engine: Engine, tokenizer: Tokenizer, chat_format: ChatFormat
    ) -> None:
        self.folder = folder
        self.engine = engine
        self.tokenizer = tokenizer
        self.format = chat_format
        self._stop_ids = chat_format.stop_ids

    @classmethod
    def load(
        cls, folder: Path, limits: EngineLimits | None = None, **options: Unpack[LoadOptions]
    ) -> ChatModel:
        """Load a released folder of any family, with its tokenizer and chat format.

        `limits` bound the engine; `options` are those of load_model.

        Raises:
            CheckpointError: naming what was expected and what was found.
        """
        from llm.engine.engine import Engine

        config = read_config(folder, family=options.get("family"))
        # The tokenizer first: a wrong one should not cost the minutes that the weights take.
        tokenizer = load_tokenizer(folder, config)
        chats = chat_format(
            config.family, tokenizer, has_prefix=has_prefix(folder, tokenizer, config)
        )
        model = load_model(folder, **options)
        return cls(folder, Engine(model, tokenizer.num_ids, limits), tokenizer, chats)

    @property
    def max_prompt_tokens(self) -> int:
        """The longest prompt that leaves room for one token of answer."""
        return self.engine.max_prompt_tokens

    def prompt_segments(self, messages: Sequence[ModelMessage]) -> tuple[PromptSegment, ...]:
        """The exact prompt of a chat as ids, message by message.

        Raises:
            PromptError: the messages cannot be a prompt.
        """
        self._refuse_endless(messages)
        return self.format.segments(messages)

    def chat(
        self,
        messages: Sequence[ModelMessage],
        params: SamplingParams | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        *,
        tenant: str = "",
        constraint: Constraint | None = None,
    ) -> ChatReply:
        """Stream the reply; many may run at a time, each as far as its reader asks.

        `cancelled` is asked between steps and ends the reply as `ChatReply.close` does. What is
        cached of a prompt is shared between the chats of one `tenant` only. `constraint` rules
        which token may come next.

        Raises:
            PromptError, EngineBusy: at the call, before any work.
            GenerationFailed: from the stream.
        """
        segments = self.prompt_segments(messages)
        text = self.format.reply_text(messages)
        return self._reply(segments, text, params, cancelled, tenant, constraint)

    def continue_text(
        self,
        text: str,
        params: SamplingParams | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        tenant: str = "",
    ) -> ChatReply:
        """Stream what a base model writes after a text: no roles, no turns, every blank kept.

        Raises:
            PromptError, EngineBusy: at the call, before any work.
            GenerationFailed: from the stream.
        """
        self._refuse_endless([ModelMessage("user", text)])
        reply = ReplyText(self.tokenizer, ReplyRules(verbatim=True))
        return self._reply(self.format.continuation(text), reply, params, cancelled, tenant)

    def quote_constraint(self, sources: Sequence[str]) -> QuoteConstraint:
        """The rule for one reply that quotes these sources word for word, if it quotes."""
        return QuoteConstraint(sources, self._quote_vocabulary, self.tokenizer.token_bytes)

    @cached_property
    def _quote_vocabulary(self) -> QuoteVocabulary:
        return QuoteVocabulary.of(self.tokenizer.token_bytes, self.tokenizer.num_ids)

    def _reply(
        self,
        segments: Sequence[PromptSegment],
        text: ReplyText,
        params: SamplingParams | None,
        cancelled: Callable[[], bool],
        tenant: str,
        constraint: Constraint | None = None,
    ) -> ChatReply:
        ids = prompt_ids(segments)
        ended = threading.Event()
        tokens = self.engine.generate(
            ids,
            params or SamplingParams(),
            self._stop_ids,
            lambda: ended.is_set() or cancelled(),
            tenant=tenant,
            constraint=constraint,
        )
        return ChatReply(tuple(ids), tokens, text, ended, self.format)

    def _refuse_endless(self, messages: Sequence[ModelMessage]) -> None:
        """Refuse by its length alone what cannot fit, before seconds are spent on encoding it."""
        num_characters = sum(len(message.content) for message in messages)
        at_least = num_characters // self.tokenizer.max_token_bytes
        if num_characters > _ENDLESS_CHARACTERS and at_least > self.max_prompt_tokens:
            raise PromptTooLong(at_least, self.max_prompt_tokens)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Hash the folder's files; reads every weight once, then remembers.

        Raises:
            CheckpointError: the files are gone.
        """
        parts = [self.folder / "config.json", *weight_files(self.folder)]
        lines = [f"{path.name} {_sha256(path)}\n" for path in parts]
        return Fingerprint(
            model=hashlib.sha256("".join(lines).encode()).hexdigest(),
            tokenizer=_sha256(self.tokenizer.path),
        )


class ChatReply(Iterator[str]):
    """The pieces of one reply; afterwards its usage, reason to end and tool calls.

    Closing it, or dropping it, ends the generation and frees its pages;
    `close` may be called from another thread than the one that reads.
    """

    def __init__(
        self,
        prompt_ids: tuple[int, ...],
        tokens: TokenStream,
        text: ReplyText,
        ended: threading.Event,
        chat_format: ChatFormat,
    ) -> None:
        self.prompt_ids = prompt_ids
        self._generated: list[GeneratedToken] = []
        self._text = text
        self._ended = ended
        self._format = chat_format
        self._tokens = tokens
        # The generator must not know this object: in a circle, a dropped reply would hold its
        # pages until the garbage collector comes by.
        self._pieces = _read(tokens, text, self._generated)

    @property
    def tokens(self) -> Sequence[GeneratedToken]:
        """The tokens generated so far, a final stop id included."""
        return self._generated

    @property
    def output_ids(self) -> list[int]:
        """The ids generated so far, a final stop id included."""
        return [token.id for token in self._generated]

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the reply ended; None while it streams, and for ever if it was closed."""
        return self._generated[-1].finish_reason if self._generated else None

    @property
    def usage(self) -> TokenUsage:
        """Tokens so far; final once the stream has ended."""
        return TokenUsage(len(self.prompt_ids), len(self._generated), self._tokens.cached_tokens)

    @property
    def metadata(self) -> str:
        """The name of the tool that the reply calls; empty for an answer."""
        return self._text.metadata

    @property
    def tool_calls(self) -> tuple[ParsedToolCall, ...]:
        """The calls so far; complete once the stream has ended.

        Raises:
            ToolCallError: the text of one cannot be read; `raw_calls` has it.
        """
        return tuple(self._format.read_call(name, text) for name, text in self._text.calls)

    @property
    def raw_calls(self) -> tuple[tuple[str, str], ...]:
        """Tool names and the model's own text of each call, unread."""
        return tuple(self._text.calls)

    def __next__(self) -> str:
        piece = next(self._pieces)
        if self._ended.is_set():
            # Closed from another thread meanwhile; only this one can leave the generator.
            self._pieces.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """End the generation and free its pages; a reader in another thread gets no more."""
        self._ended.set()
        self._tokens.close()
        with suppress(ValueError):  # raised while another thread is inside the generator
            self._pieces.close()


def _read(
    tokens: TokenStream, text: ReplyText, generated: list[GeneratedToken]
) -> Generator[str, None, None]:
    with closing(tokens):
        for token in tokens:
            generated.append(token)
            piece = "" if token.finish_reason == "stop" else text.feed(token.id)
            if piece:
                yield piece
    rest = text.flush()
    if rest:
        yield rest


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error
