"""What every tokenizer of the family is: ids of text, bytes of ids, and control ids by name.

Knows that a token is either text, with its bytes, or control, with its name, and never both.
Does not know file formats (one module each beside this one) or the order of a chat.
"""

from __future__ import annotations

import codecs
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from llm.absent_files import refuse_absent
from llm.errors import CheckpointError, InvalidPrompt

# The number of bytes from which a file cannot be the tokenizer of any release (the largest has 20).
MAX_FILE_BYTES = 100_000_000


class Tokenizer(ABC):
    """Text to ids and back. Text never yields a control id; those are asked for by name.

    `token_bytes` has the UTF-8 bytes of every id, empty for control ids; `control_ids` the ids
    that stand for structure; `eos` the name of the one that ends a text. `blank_first` says that
    `encode` puts one blank before every text, which `decode` takes away again.
    """

    def __init__(
        self,
        path: Path,
        token_bytes: Sequence[bytes],
        control_ids: Mapping[str, int],
        eos: str,
        *,
        blank_first: bool = False,
    ) -> None:
        self.path = path
        self.blank_first = blank_first
        self._bytes = list(token_bytes)
        self._control_ids = dict(control_ids)
        self._control_names = {token_id: name for name, token_id in control_ids.items()}
        self.eos_id = self.control_id(eos)

    @property
    def num_ids(self) -> int:
        """Ids that mean something; the model's vocabulary is padded beyond them."""
        return len(self._bytes)

    @property
    def control_names(self) -> tuple[str, ...]:
        """The names that `control_id` knows."""
        return tuple(self._control_ids)

    @property
    def max_token_bytes(self) -> int:
        """The longest stretch of text that one id stands for."""
        return max(map(len, self._bytes))

    def control_id(self, name: str) -> int:
        """The id of a control token.

        Raises:
            CheckpointError: this tokenizer has none of that name.
        """
        try:
            return self._control_ids[name]
        except KeyError:
            raise CheckpointError(
                f"{self.path} has no control token {name!r}; it has"
                f" {', '.join(self._control_ids) or 'none'}"
            ) from None

    def is_control(self, token_id: int) -> bool:
        """Whether the id stands for structure, or for nothing, and not for text."""
        return not self.token_bytes(token_id)

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; the string of a control token is text like any other.

        Raises:
            InvalidPrompt: a lone surrogate, which is no Unicode text.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidPrompt(
                f"character {error.start} of the text is the lone surrogate"
                f" {text[error.start]!r}; expected Unicode text"
            ) from error
        return self._encode(text)

    @abstractmethod
    def _encode(self, text: str) -> list[int]:
        """Ids of text that is sound Unicode."""

    def token_bytes(self, token_id: int) -> bytes:
        """The UTF-8 bytes that a text id stands for; empty for control ids and padding rows."""
        return self._bytes[token_id] if 0 <= token_id < len(self._bytes) else b""

    def token_name(self, token_id: int) -> str:
        """How to show one id to a reader: a control token's name, else what it stands for."""
        if not 0 <= token_id < len(self._bytes):
            return f"<unused {token_id}>"
        control = self._control_names.get(token_id)
        return self._text_name(token_id) if control is None else control

    def _text_name(self, token_id: int) -> str:
        return self._bytes[token_id].decode("utf-8", "backslashreplace")

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids; control ids give nothing. Inverse of `encode`."""
        detokenizer = Detokenizer(self)
        return "".join([detokenizer.feed(token_id) for token_id in ids]) + detokenizer.flush()


class Detokenizer:
    """Ids to text, one at a time: `feed` returns what became certain, `flush` the rest.

    Never returns half a character: bytes wait until their character is complete, and bytes that
    cannot become one are replaced by U+FFFD. All pieces joined equal `decode` of all ids.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._drops_blank = tokenizer.blank_first

    def feed(self, token_id: int) -> str:
        data = self._tokenizer.token_bytes(token_id)
        if self._drops_blank and data:
            self._drops_blank = False
            data = data.removeprefix(b" ")
        return self._decoder.decode(data)

    def flush(self) -> str:
        return self._decoder.decode(b"", final=True)


def read_tokenizer_file(path: Path, expected: str) -> bytes:
    """The bytes of a tokenizer file; `expected` names the format in the error.

    Raises:
        CheckpointError: the file is missing, unreadable or far too large.
    """
    refuse_absent(path)
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_FILE_BYTES else b""
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error}; expected {expected}") from error
    if size > MAX_FILE_BYTES:
        raise CheckpointError(
            f"{path} has {size} bytes; expected {expected} of at most {MAX_FILE_BYTES}"
        )
    return content
