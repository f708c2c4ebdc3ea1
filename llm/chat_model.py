"""A whole model folder as one object: messages in, text out.

Puts tokenizer, chat format, engine and reply reading together and lets one generation run at a
time. Knows no documents, no HTTP and no settings; what to say to the model is the caller's part.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llm.chat import ChatMessage, Segment, prompt_ids, prompt_segments, stop_ids
from llm.checkpoint import load_model, read_config
from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.generation import FinishReason, SamplingParams, Token, Usage
from llm.reply import ReplyText
from llm.tokenizer import TOKENIZER_FILE, ChatGLM3Tokenizer
from llm.weight_files import weight_files

if TYPE_CHECKING:
    from llm.engine import Engine, TokenStream


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What exactly answered: SHA-256 over config and weights, and over the tokenizer file."""

    model: str
    tokenizer: str


class ChatModel:
    """A loaded model that answers chats. Safe to share between threads; chats take turns."""

    def __init__(self, folder: Path, engine: Engine, tokenizer: ChatGLM3Tokenizer) -> None:
        self.folder = folder
        self.engine = engine
        self.tokenizer = tokenizer
        self._stop_ids = stop_ids(tokenizer)

    @classmethod
    def load(cls, folder: Path, *, device: str = "auto", dtype: str = "auto") -> ChatModel:
        """Load a released ChatGLM3-6B folder.

        Raises:
            CheckpointError: naming what was expected and what was found.
        """
        from llm.engine import Engine

        config = read_config(folder)
        if config.generation != "chatglm3":
            raise UnsupportedCheckpoint(
                f"{folder} is of the generation {config.generation}; chats are supported for"
                " chatglm3 only yet"
            )
        # The tokenizer first: a wrong one should not cost the minutes that the weights take.
        tokenizer = ChatGLM3Tokenizer(folder / TOKENIZER_FILE)
        if tokenizer.num_ids > config.vocab_size:
            raise CheckpointError(
                f"{tokenizer.path} has {tokenizer.num_ids} ids;"
                f" config.json has room for padded_vocab_size = {config.vocab_size}"
            )
        model = load_model(folder, device=device, dtype=dtype)
        return cls(folder, Engine(model, tokenizer.num_ids), tokenizer)

    @property
    def max_prompt_tokens(self) -> int:
        """The longest prompt that leaves room for one token of answer."""
        return self.engine.max_prompt_tokens

    def prompt_segments(self, messages: Sequence[ChatMessage]) -> tuple[Segment, ...]:
        """The exact prompt of a chat as ids, message by message.

        Raises:
            PromptError: the messages cannot be a prompt.
        """
        return prompt_segments(messages, self.tokenizer)

    def chat(
        self,
        messages: Sequence[ChatMessage],
        params: SamplingParams | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        *,
        tenant: str = "",
    ) -> ChatReply:
        """Stream the reply; many may run at a time, each as far as its reader asks.

        `cancelled` is asked between steps and ends the reply as `ChatReply.close` does. What is
        cached of a prompt is shared between the chats of one `tenant` only.

        Raises:
            PromptError, EngineBusy: at the call, before any work.
            GenerationFailed: from the stream.
        """
        ids = prompt_ids(self.prompt_segments(messages))
        tool_names = [str(tool.get("name", "")) for message in messages for tool in message.tools]
        text = ReplyText(self.tokenizer, tool_names)
        ended = threading.Event()
        tokens = self.engine.generate(
            ids,
            params or SamplingParams(),
            self._stop_ids,
            lambda: ended.is_set() or cancelled(),
            tenant=tenant,
        )
        return ChatReply(tuple(ids), tokens, text, ended)

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
    """The pieces of one reply; afterwards its usage, reason to end and tool name.

    Closing it, or dropping it, ends the generation and frees the model for the next chat;
    `close` may be called from another thread than the one that reads.
    """

    def __init__(
        self,
        prompt_ids: tuple[int, ...],
        tokens: TokenStream,
        text: ReplyText,
        ended: threading.Event,
    ) -> None:
        self.prompt_ids = prompt_ids
        self._generated: list[Token] = []
        self._text = text
        self._ended = ended
        self._tokens = tokens
        # The generator must not know this object: in a circle, a dropped reply would hold its
        # pages until the garbage collector comes by.
        self._pieces = _read(tokens, text, self._generated)

    @property
    def tokens(self) -> Sequence[Token]:
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
    def usage(self) -> Usage:
        """Tokens so far; final once the stream has ended."""
        return Usage(len(self.prompt_ids), len(self._generated), self._tokens.cached_tokens)

    @property
    def metadata(self) -> str:
        """The name of the tool that the reply calls; empty for an answer."""
        return self._text.metadata

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
    tokens: TokenStream, text: ReplyText, generated: list[Token]
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
