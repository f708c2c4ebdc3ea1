"""The SentencePiece tokenizers: ChatGLM2 and ChatGLM3 (tokenizer.model), ChatGLM (ice_text.model).

Knows pieces and how each family writes line breaks and blanks. The second and third share one
file, byte for byte: the third only has names for four ids more, so no file tells them apart.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from llm.errors import CheckpointError
from llm.tokenizers.tokenizer import Tokenizer, read_tokenizer_file

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

TOKENIZER_FILE = "tokenizer.model"
ICE_TEXT_FILE = "ice_text.model"

# Numbered upwards from the first id behind the SentencePiece vocabulary, in this order.
CHATGLM2_CONTROL_TOKENS = ("[MASK]", "[gMASK]", "[sMASK]", "sop", "eop")
CONTROL_TOKENS = (
    *CHATGLM2_CONTROL_TOKENS,
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
)
_WORD_START = "\u2581"
# How SentencePiece shows a piece that it does not know.
_UNKNOWN = " \u2047 "

# The first checkpoints kept so many rows for images before those of text.
NUM_IMAGE_TOKENS = 20_000
_NEW_LINE, _TAB = "<n>", "<|tab|>"
_MAX_BLANKS = 80
_BLANKS = re.compile(f" {{2,{_MAX_BLANKS}}}")
_SPACING = {_NEW_LINE: b"\n", _TAB: b"\t"} | {
    f"<|blank_{count}|>": b" " * count for count in range(2, _MAX_BLANKS + 1)
}
_CHATGLM_CONTROL_TOKENS = ("[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<pad>")


class ChatGLM2Tokenizer(Tokenizer):
    """ChatGLM2's: byte-pair pieces that keep every blank, control ids behind them.

    Raises:
        CheckpointError: the file is missing or is no SentencePiece model of this family.
    """

    added_tokens: ClassVar[tuple[str, ...]] = CHATGLM2_CONTROL_TOKENS

    def __init__(self, path: Path) -> None:
        self._pieces = _read_pieces(path)
        table = _piece_bytes(self._pieces)
        controls = _control_pieces(self._pieces)
        if "</s>" not in controls:
            raise CheckpointError(f"{path} has no end-of-text piece; expected one, as </s>")
        if "[gMASK]" in controls:
            raise CheckpointError(
                f"{path} has [gMASK] among its pieces: it is a tokenizer of the first ChatGLM;"
                " expected that of ChatGLM2 or ChatGLM3"
            )
        controls |= {name: len(table) + offset for offset, name in enumerate(self.added_tokens)}
        table += [b""] * len(self.added_tokens)
        super().__init__(path, table, controls, "</s>", blank_first=True)

    def _encode(self, text: str) -> list[int]:
        return list(self._pieces.encode(text))

    def _text_name(self, token_id: int) -> str:
        return str(self._pieces.id_to_piece(token_id))


class ChatGLM3Tokenizer(ChatGLM2Tokenizer):
    """ChatGLM3's: the same pieces, and the four roles of its chats."""

    added_tokens = CONTROL_TOKENS


class ChatGLMTokenizer(Tokenizer):
    """The first ChatGLM's: unigram pieces of normalised text, with tokens for line breaks, tabs
    and runs of 2 to 80 blanks. Normalising loses full-width forms and single outer blanks.

    `num_image_tokens` shifts every id, as in checkpoints with a vocabulary of 150,528 rows.

    Raises:
        CheckpointError: the file is missing or is no SentencePiece model of this family.
    """

    def __init__(self, path: Path, num_image_tokens: int = 0) -> None:
        self._pieces = _read_pieces(path)
        self._shift = num_image_tokens
        controls = _control_pieces(self._pieces)
        _require_icetk(path, self._pieces, controls)
        super().__init__(
            path,
            [b""] * num_image_tokens + _icetk_bytes(self._pieces),
            {name: token_id + num_image_tokens for name, token_id in controls.items()},
            "<eop>",
            blank_first=True,
        )

    def _encode(self, text: str) -> list[int]:
        text = text.replace("\n", _NEW_LINE).replace("\t", _TAB)
        text = _BLANKS.sub(lambda run: f"<|blank_{len(run[0])}|>", text)
        return [token_id + self._shift for token_id in self._pieces.encode(text)]

    def _text_name(self, token_id: int) -> str:
        if token_id < self._shift:
            return f"<image {token_id}>"
        return str(self._pieces.id_to_piece(token_id - self._shift))


def _read_pieces(path: Path) -> SentencePieceProcessor:
    import sentencepiece

    content = read_tokenizer_file(path, "a SentencePiece model")
    try:
        pieces = sentencepiece.SentencePieceProcessor(model_proto=content)
    except RuntimeError as error:
        raise CheckpointError(
            f"cannot read {path}: {str(error)[:200]}; expected a SentencePiece model"
        ) from error
    if pieces.get_piece_size() == 0:
        raise CheckpointError(f"{path} has 0 pieces; expected a SentencePiece model")
    return pieces


def _control_pieces(pieces: SentencePieceProcessor) -> dict[str, int]:
    found = range(pieces.get_piece_size())
    return {str(pieces.id_to_piece(i)): i for i in found if pieces.is_control(i)}


def _piece_bytes(pieces: SentencePieceProcessor) -> list[bytes]:
    return [_bytes_of(pieces, piece_id) for piece_id in range(pieces.get_piece_size())]


def _icetk_bytes(pieces: SentencePieceProcessor) -> list[bytes]:
    table = _piece_bytes(pieces)
    for piece, spacing in _SPACING.items():
        table[pieces.piece_to_id(piece)] = spacing
    return table


def _bytes_of(pieces: SentencePieceProcessor, piece_id: int) -> bytes:
    piece = str(pieces.id_to_piece(piece_id))
    if pieces.is_byte(piece_id):
        return bytes([int(piece[3:5], 16)])  # stored as <0xNN>
    if pieces.is_control(piece_id) or pieces.is_unused(piece_id):
        return b""
    if pieces.is_unknown(piece_id):
        return _UNKNOWN.encode()
    return piece.replace(_WORD_START, " ").encode()


def _require_icetk(path: Path, pieces: SentencePieceProcessor, controls: dict[str, int]) -> None:
    unknown = pieces.unk_id()
    missing = [name for name in _CHATGLM_CONTROL_TOKENS if name not in controls]
    missing += [name for name in _SPACING if pieces.piece_to_id(name) == unknown]
    if missing:
        raise CheckpointError(
            f"{path} lacks the pieces {', '.join(missing[:3])} and {len(missing)} in all;"
            " expected the tokenizer of the first ChatGLM"
        )
