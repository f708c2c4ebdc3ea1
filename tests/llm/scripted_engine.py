"""An engine without a model: every generation is the same text. For tests of what reads replies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llm.chats.chat_formats import chatglm3_format
from llm.chats.chat_model import ChatModel
from llm.decoding import GeneratedToken
from llm.tokenizers import ChatGLM3Tokenizer


class ScriptedStream(Iterator[GeneratedToken]):
    """The ids of the text, then the control token that hands over to a tool."""

    cached_tokens = 0

    def __init__(self, ids: list[int], last_id: int) -> None:
        self._tokens = iter([*(GeneratedToken(i) for i in ids), GeneratedToken(last_id, "stop")])

    def __next__(self) -> GeneratedToken:
        return next(self._tokens)

    def close(self) -> None:
        self._tokens = iter(())


class ScriptedEngine:
    """Says one text; keeps the prompts."""

    max_prompt_tokens = 4000

    def __init__(self, tokenizer: ChatGLM3Tokenizer, text: str) -> None:
        self._ids = tokenizer.encode(text)
        self._last_id = tokenizer.control_id("<|observation|>")
        self.prompts: list[list[int]] = []

    def generate(self, prompt_ids: list[int], *_: object, **__: object) -> ScriptedStream:
        self.prompts.append(prompt_ids)
        return ScriptedStream(self._ids, self._last_id)


def scripted_model(tokenizer: ChatGLM3Tokenizer, text: str) -> ChatModel:
    """A ChatGLM3 that always says that text."""
    engine: Any = ScriptedEngine(tokenizer, text)
    return ChatModel(Path("scripted"), engine, tokenizer, chatglm3_format(tokenizer))
