"""ChatGLM3's tokenizer: SentencePiece pieces, and control ids that no text can produce.

Knows pieces, bytes and ids. Does not know the chat format; it hands out control ids only to who
asks for one by name. The same tokenizer.model serves ChatGLM2, without the four role tokens.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import Path

from llm.errors import CheckpointError, InvalidPrompt

TOKENIZER_FILE = "tokenizer.model"

# Numbered upwards from the first id behind the SentencePiece vocabulary, in this order.
CONTROL_TOKENS = (
    "[MASK]",
    "[gMASK]",
    "[sMASK]",
    "sop",
    "eop",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
)
_WORD_START = "\u2581"


class ChatGLM3Tokenizer:
    """Text to ids and back.

    Raises:
        CheckpointError: the file is missing or is no SentencePiece model of this family.
    """

    def __init__(self, path: Path) -> None:
        import sentencepiece

        try:
            content = path.read_bytes()
            self._pieces = sentencepiece.SentencePieceProcessor(model_proto=content)
        except (OSError, RuntimeError) as error:
            raise CheckpointError(
                f"cannot read {path}: {str(error)[:200]}; expected a SentencePiece model"
            ) from error
        self.path = path
        self._num_pieces: int = self._pieces.get_piece_size()
        self.eos_id: int = self._pieces.eos_id()
        if self.eos_id < 0:
            raise CheckpointError(f"{path} has no end-of-text piece; expected one, as </s>")
        self._control_ids = {
            name: self._num_pieces + offset for offset, name in enumerate(CONTROL_TOKENS)
        }
        self._bytes = [self._piece_bytes(piece_id) for piece_id in range(self._num_pieces)]

    @property
    def num_ids(self) -> int:
        """Ids that mean something; the model's vocabulary is padded beyond them."""
        return self._num_pieces + len(CONTROL_TOKENS)

    def control_id(self, name: str) -> int:
        """The id of one of CONTROL_TOKENS."""
        return self._control_ids[name]

    def is_control(self, token_id: int) -> bool:
        """Whether the id stands for structure and not for text."""
        return token_id >= self._num_pieces or self._pieces.is_control(token_id)

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
        return list(self._pieces.encode(text))

    def token_bytes(self, token_id: int) -> bytes:
        """The UTF-8 bytes that a text id stands for; empty for control ids and padding rows."""
        return self._bytes[token_id] if 0 <= token_id < self._num_pieces else b""

    def token_name(self, token_id: int) -> str:
        """How to show one id to a reader: a control token's name, else the piece as stored."""
        if token_id < self._num_pieces:
            return str(self._pieces.id_to_piece(token_id))
        offset = token_id - self._num_pieces
        return CONTROL_TOKENS[offset] if offset < len(CONTROL_TOKENS) else f"<unused {token_id}>"

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids; control ids give nothing. Inverse of `encode`."""
        detokenizer = Detokenizer(self)
        return "".join([detokenizer.feed(token_id) for token_id in ids]) + detokenizer.flush()

    def _piece_bytes(self, piece_id: int) -> bytes:
        piece = self._pieces.id_to_piece(piece_id)
        if self._pieces.is_byte(piece_id):
            return bytes([int(piece[3:5], 16)])  # stored as <0xNN>
        if self._pieces.is_control(piece_id):
            return b""
        if self._pieces.is_unknown(piece_id):
            return "\ufffd".encode()
        return str(piece).replace(_WORD_START, " ").encode()


class Detokenizer:
    """Ids to text, one at a time: `feed` returns what became certain, `flush` the rest.

    Never returns half a character: bytes wait until their character is complete, and bytes that
    cannot become one are replaced by U+FFFD. All pieces joined equal `decode` of all ids.
    """

    def __init__(self, tokenizer: ChatGLM3Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._at_start = True

    def feed(self, token_id: int) -> str:
        data = self._tokenizer.token_bytes(token_id)
        if self._at_start and data:
            self._at_start = False
            # The encoder puts one space before every text.
            data = data.removeprefix(b" ")
        return self._decoder.decode(data)

    def flush(self) -> str:
        return self._decoder.decode(b"", final=True)
