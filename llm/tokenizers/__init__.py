"""Tokenizers of every family: one type, one module for each file format.

`released.py` is for comparing with the released tokenizers only; nothing that builds prompts
may import it.
"""

from llm.tokenizers.byte_pairs import GLM4Tokenizer
from llm.tokenizers.sentence_pieces import (
    CONTROL_TOKENS,
    TOKENIZER_FILE,
    ChatGLM2Tokenizer,
    ChatGLM3Tokenizer,
    ChatGLMTokenizer,
)
from llm.tokenizers.tokenizer import Detokenizer, Tokenizer
from llm.tokenizers.tokenizer_json import GlmTokenizer

__all__ = [
    "CONTROL_TOKENS",
    "TOKENIZER_FILE",
    "ChatGLM2Tokenizer",
    "ChatGLM3Tokenizer",
    "ChatGLMTokenizer",
    "Detokenizer",
    "GLM4Tokenizer",
    "GlmTokenizer",
    "Tokenizer",
]
