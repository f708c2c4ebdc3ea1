"""The names of `llm.tokenizers` under their first address, until every caller has moved."""

from llm.tokenizers import CONTROL_TOKENS, TOKENIZER_FILE, ChatGLM3Tokenizer, Detokenizer

__all__ = ["CONTROL_TOKENS", "TOKENIZER_FILE", "ChatGLM3Tokenizer", "Detokenizer"]
