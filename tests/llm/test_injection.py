"""No text, in any field of any format, puts a control id where the template has none."""

import html
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm.chats.chat import ModelMessage, PromptSegment
from llm.chats.chat_formats import (
    ChatFormat,
    chatglm2_format,
    chatglm3_format,
    chatglm_format,
    glm4_format,
    glm_edge_format,
)
from llm.tokenizers import (
    CONTROL_TOKENS,
    ChatGLM2Tokenizer,
    ChatGLM3Tokenizer,
    ChatGLMTokenizer,
    GLM4Tokenizer,
    GlmTokenizer,
    Tokenizer,
)
from llm.tokenizers.byte_pairs import GLM4_CONTROL_TOKENS
from tests.llm.tiny_tokenizers import write_ice_text, write_ranks, write_tokenizer_json

NUM_STRINGS = 5_000
# The small tokenizers have the same code; every name in every variant is among the first.
NUM_STRINGS_OF_SMALL = 1_500
NAMES = [
    *dict.fromkeys((*CONTROL_TOKENS, *GLM4_CONTROL_TOKENS)),
    *("<s>", "</s>", "<unk>", "<pad>", "<ENC>", "<dBLOCK>", "<unused_0>", "<|endofprompt|>"),
    *("<n>", "<|tab|>", "<|blank_3|>", "<0x0A>", "[Round 1]\n\n问："),
]
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
VARIANTS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.swapcase,
    html.escape,
    lambda name: name.translate(WIDE),
    lambda name: "\u200d".join(name),
    lambda name: "\u200b".join(name),
    lambda name: "\ufeff" + name + "\u00ad",
    lambda name: "".join(f"&#{ord(character)};" for character in name),
    lambda name: "".join(f"\\x{byte:02x}" for byte in name.encode()),
    lambda name: "".join(f"<0x{byte:02X}>" for byte in name.encode()),
    lambda name: "".join(f"%{byte:02X}" for byte in name.encode()),
    lambda name: json.dumps(name),
    lambda name: f"{name[: len(name) // 2]} {name[len(name) // 2 :]}",
    lambda name: f"{name[: len(name) // 2]}\x00{name[len(name) // 2 :]}",
    lambda name: name.replace("<", "<<").replace("|", "||"),
    lambda name: f"\n{name}\n",
    lambda name: name * 2,
    lambda name: name.replace(" ", "\u2581").replace("<", "\u2581<"),
]
FILLERS = ["", " ", "\n", "你好", "hello ", "👋", "<", "|>", "[g", "\t\t", "\u2581", "0x"]


def hostile_strings() -> Iterator[str]:
    """Every name in every variant, then seeded mixtures of them."""
    yield from (variant(name) for name in NAMES for variant in VARIANTS)
    dice = random.Random(20)  # noqa: S311 - repeatable, no secret
    while True:
        parts = [
            dice.choice(FILLERS) + dice.choice(VARIANTS)(dice.choice(NAMES))
            for _ in range(dice.randint(1, 4))
        ]
        yield "".join(parts) + dice.choice(FILLERS)


def first_hostile_strings() -> list[str]:
    strings = hostile_strings()
    return [next(strings) for _ in range(NUM_STRINGS)]


@dataclass(frozen=True, slots=True)
class Door:
    """One format, and the control ids of its template around one message."""

    tokenizer: Tokenizer
    chats: ChatFormat
    messages: Callable[[str], list[ModelMessage]]
    control_ids: frozenset[int]


def rounds(text: str) -> list[ModelMessage]:
    return [
        ModelMessage("system", text),
        ModelMessage("user", text),
        ModelMessage("assistant", text),
        ModelMessage("user", text),
    ]


def roles(text: str) -> list[ModelMessage]:
    """The text in every field: tools' names, descriptions, keys and values included."""
    line = "x" + text.replace("\n", " ")
    parameters = {"type": "object", "properties": {text: {"type": text, "enum": [text]}}}
    tool = {"name": line, "description": text, "parameters": parameters}
    return [
        ModelMessage("system", text, tools=(tool, {"type": "function", "function": tool})),
        ModelMessage("user", text),
        ModelMessage("assistant", text, metadata=line),
        ModelMessage("observation", text),
    ]


def controls(tokenizer: Tokenizer) -> frozenset[int]:
    return frozenset(map(tokenizer.control_id, tokenizer.control_names))


def genuine(folder: Path) -> list[Door]:
    v1 = ChatGLMTokenizer(folder / "chatglm-6b" / "ice_text.model")
    v2 = ChatGLM2Tokenizer(folder / "chatglm3-6b" / "tokenizer.model")
    v3 = ChatGLM3Tokenizer(folder / "chatglm3-6b" / "tokenizer.model")
    glm4 = GLM4Tokenizer(folder / "glm-4-9b-chat" / "tokenizer.model")
    # Written out, so that a tokenizer which forgets one of its own is found.
    of_v1 = frozenset((0, 1, 2, 3, *range(130_000, 130_008)))
    of_v3 = frozenset((0, 1, 2, *range(64_789, 65_024)))
    of_glm4 = frozenset(range(151_329, 151_552))
    return [
        Door(v1, chatglm_format(v1), rounds, of_v1),
        Door(v2, chatglm2_format(v2), rounds, of_v3),
        Door(v3, chatglm3_format(v3), roles, of_v3),
        Door(glm4, glm4_format(glm4), roles, of_glm4),
    ]


def tiny(folder: Path, tokenizer_model: Path) -> list[Door]:
    v1 = ChatGLMTokenizer(write_ice_text(folder / "ice_text.model"))
    v3 = ChatGLM3Tokenizer(tokenizer_model)
    glm4 = GLM4Tokenizer(write_ranks(folder / "tokenizer.model"))
    glm = GlmTokenizer(write_tokenizer_json(folder / "tokenizer.json"))
    return [
        Door(v1, chatglm_format(v1), rounds, controls(v1)),
        Door(v3, chatglm3_format(v3), roles, controls(v3)),
        Door(glm4, glm4_format(glm4), roles, controls(glm4)),
        Door(glm, glm4_format(glm), roles, controls(glm)),
        Door(glm, glm_edge_format(glm), rounds, controls(glm)),
    ]


def num_misplaced(door: Door, text: str) -> int:
    """Control ids that stand elsewhere than at a segment's start, prefix and reply apart."""
    found = 0
    for segment in door.chats.segments(door.messages(text)):
        ids = segment.ids[_template_ids(segment) :]
        found += len(door.control_ids.intersection(ids))
    return found


def _template_ids(segment: PromptSegment) -> int:
    if segment.role in ("prefix", "reply"):
        return len(segment.ids)
    return 0 if segment.role == "rounds" else 1


def test_every_name_in_every_variant_is_among_the_strings() -> None:
    strings = first_hostile_strings()
    assert len(strings) == NUM_STRINGS
    assert len(NAMES) * len(VARIANTS) < NUM_STRINGS_OF_SMALL
    assert len(set(strings)) > 0.9 * NUM_STRINGS


@pytest.mark.parametrize("number", range(4), ids=["chatglm", "chatglm2", "chatglm3", "glm4"])
def test_5000_hostile_strings_yield_no_genuine_control_id(shared_dir: Path, number: int) -> None:
    folder = shared_dir / "tokenizers"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    door = genuine(folder)[number]
    assert sum(num_misplaced(door, text) for text in first_hostile_strings()) == 0


@pytest.mark.parametrize("number", range(5), ids=["chatglm", "chatglm3", "glm4", "glm", "edge"])
def test_hostile_strings_yield_no_control_id_of_a_small_tokenizer(
    tmp_path: Path, tiny_tokenizer_file: Path, number: int
) -> None:
    door = tiny(tmp_path, tiny_tokenizer_file)[number]
    strings = first_hostile_strings()[:NUM_STRINGS_OF_SMALL]
    assert sum(num_misplaced(door, text) for text in strings) == 0


def test_the_count_finds_a_control_id_that_does_stand_in_a_text(
    tmp_path: Path, tiny_tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = tiny(tmp_path, tiny_tokenizer_file)[1]
    user_id = door.tokenizer.control_id("<|user|>")
    monkeypatch.setattr(door.tokenizer, "_encode", lambda text: [user_id] * ("|user|" in text))
    assert num_misplaced(door, "hello") == 0
    assert num_misplaced(door, "<|user|>") > 0


def test_what_builds_prompts_cannot_reach_the_encoding_of_trusted_text() -> None:
    script = (
        "import sys, llm.chats.chat, llm.chats.chat_formats, llm.chats.chat_model\n"
        "import llm.chats.reply, llm.checkpoints.tokenizer_choice\n"
        "sys.exit('llm.tokenizers.released' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
