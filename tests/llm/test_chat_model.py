"""A released folder from messages to text: streaming, usage, fingerprint, one chat at a time."""

import hashlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm.__main__ import main
from llm.chats.chat import ModelMessage, prompt_ids
from llm.chats.chat_model import ChatModel
from llm.decoding import GeneratedToken, SamplingParams
from llm.errors import CheckpointError, PromptTooLong, RoleOrderError
from llm.tokenizers import TOKENIZER_FILE
from tests.llm.tiny_checkpoint import write_tiny_checkpoint

QUESTION = [ModelMessage("system", "Be brief."), ModelMessage("user", "什么时候发生的？")]
SEEDED = SamplingParams(temperature=1.2, top_p=0.95, seed=5, max_tokens=40)


class Scripted(Iterator[GeneratedToken]):
    """A stream of given tokens, in the place of the engine's."""

    cached_tokens = 0

    def __init__(self, tokens: list[GeneratedToken]) -> None:
        self._tokens = iter(tokens)

    def __next__(self) -> GeneratedToken:
        return next(self._tokens)

    def close(self) -> None:
        self._tokens = iter(())


def test_a_released_folder_with_the_genuine_tokenizer_answers(
    tmp_path: Path, shared_dir: Path
) -> None:
    genuine = shared_dir / "tokenizers" / "chatglm3-6b" / TOKENIZER_FILE
    model = ChatModel.load(write_tiny_checkpoint(tmp_path / "model", genuine), device="cpu")
    assert model.tokenizer.num_ids == 64798
    reply = model.chat(QUESTION, SEEDED)
    text = "".join(reply)
    assert text
    assert reply.usage.completion_tokens == len(reply.output_ids) <= 40
    assert list(reply.prompt_ids) == prompt_ids(model.prompt_segments(QUESTION))


def test_pieces_join_to_the_decoded_reply(chat_model: ChatModel) -> None:
    reply = chat_model.chat(QUESTION, SEEDED)
    pieces = list(reply)
    assert len(pieces) > 3
    assert all(pieces)
    ids = [i for i in reply.output_ids if not chat_model.tokenizer.is_control(i)]
    words = "".join(chat_model.tokenizer.decode(ids).split())
    assert "".join("".join(pieces).split()) == words


def test_the_same_seed_gives_the_same_reply(chat_model: ChatModel) -> None:
    first, second = (chat_model.chat(QUESTION, SEEDED) for _ in range(2))
    assert list(first) == list(second)
    assert first.output_ids == second.output_ids


def test_usage_and_reason_are_told_afterwards(chat_model: ChatModel) -> None:
    reply = chat_model.chat(QUESTION, SamplingParams(temperature=0, max_tokens=5))
    assert reply.finish_reason is None
    list(reply)
    expected = len(prompt_ids(chat_model.prompt_segments(QUESTION)))
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (expected, 5)
    assert reply.finish_reason == "length"


def test_a_stop_id_ends_the_reply_and_is_not_shown(
    chat_model: ChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = chat_model.chat(QUESTION, SEEDED)
    list(full)
    stop = full.output_ids[6]
    monkeypatch.setattr(chat_model, "_stop_ids", frozenset({stop}))
    reply = chat_model.chat(QUESTION, SEEDED)
    list(reply)
    assert reply.finish_reason == "stop"
    assert reply.output_ids == full.output_ids[: full.output_ids.index(stop) + 1]


def test_a_prompt_beyond_the_context_is_refused_at_the_call(chat_model: ChatModel) -> None:
    with pytest.raises(PromptTooLong) as caught:
        chat_model.chat([ModelMessage("user", "火" * 50_000)])
    assert caught.value.max_prompt_tokens == chat_model.max_prompt_tokens == 4095
    assert caught.value.num_tokens > 50_000


def test_a_wrong_role_order_is_refused_at_the_call(chat_model: ChatModel) -> None:
    with pytest.raises(RoleOrderError):
        chat_model.chat([])


def test_an_abandoned_reply_frees_the_model_for_the_next(chat_model: ChatModel) -> None:
    abandoned = chat_model.chat(QUESTION, SEEDED)
    next(abandoned)
    abandoned.close()
    assert list(abandoned) == []
    dropped = chat_model.chat(QUESTION, SEEDED)
    next(dropped)
    del dropped
    assert list(chat_model.chat(QUESTION, SEEDED))


def test_chats_run_side_by_side_and_do_not_mix(chat_model: ChatModel) -> None:
    expected = "".join(chat_model.chat(QUESTION, SEEDED))
    first = chat_model.chat(QUESTION, SEEDED)
    pieces = [next(first)]
    results: list[str] = []
    other = threading.Thread(
        target=lambda: results.append("".join(chat_model.chat(QUESTION, SEEDED)))
    )
    other.start()
    other.join(timeout=30)
    assert results == [expected]
    assert "".join([*pieces, *first]) == expected


def test_a_reply_nobody_has_read_yet_can_be_closed(chat_model: ChatModel) -> None:
    num_free = chat_model.engine.num_free_pages
    reply = chat_model.chat(QUESTION, SEEDED)
    reply.close()
    assert list(reply) == []
    assert chat_model.engine.num_free_pages == num_free


def test_the_same_prompt_again_finds_its_keys_and_values(chat_model: ChatModel) -> None:
    first = chat_model.chat(QUESTION, SEEDED, tenant="one")
    second = chat_model.chat(QUESTION, SEEDED, tenant="two")
    assert "".join(first) == "".join(second)
    third = chat_model.chat(QUESTION, SEEDED, tenant="one")
    assert "".join(third) == "".join(chat_model.chat(QUESTION, SEEDED))
    assert [reply.usage.cached_tokens for reply in (first, second)] == [0, 0]
    page = chat_model.engine.limits.page_tokens
    assert third.usage.cached_tokens == (len(third.prompt_ids) - 1) // page * page


def test_the_fingerprint_follows_weights_config_and_tokenizer(
    tmp_path: Path, tiny_folder: Path, tiny_tokenizer_file: Path, chat_model: ChatModel
) -> None:
    again = write_tiny_checkpoint(tmp_path / "again", tiny_tokenizer_file)
    other = write_tiny_checkpoint(tmp_path / "other", tiny_tokenizer_file, seed=1)
    prints = [ChatModel.load(folder, device="cpu").fingerprint for folder in (again, other)]
    assert prints[0] == chat_model.fingerprint
    assert prints[1].model != prints[0].model
    content = (tiny_folder / TOKENIZER_FILE).read_bytes()
    assert prints[1].tokenizer == hashlib.sha256(content).hexdigest()


def test_a_tokenizer_larger_than_the_model_is_refused(tmp_path: Path, tiny_folder: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        text.replace('"padded_vocab_size": ', '"padded_vocab_size": 5, "was": ')
    )
    with pytest.raises(CheckpointError, match="has room for padded_vocab_size = 5"):
        ChatModel.load(folder, device="cpu")


@pytest.mark.parametrize("evidence", ["config", "code"])
def test_a_chatglm2_folder_is_chatted_with_in_its_own_format(
    tmp_path: Path, tiny_folder: Path, evidence: str
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    if evidence == "config":
        text = (folder / "config.json").read_text()
        (folder / "config.json").write_text(text.replace("chatglm3-6b", "chatglm2-6b"))
    else:
        (folder / "tokenization_chatglm.py").write_text("raise SystemExit('executed')")
    model = ChatModel.load(folder, device="cpu")
    segments = model.prompt_segments([ModelMessage("user", "你好")])
    assert [segment.role for segment in segments] == ["prefix", "rounds"]
    assert model.tokenizer.decode(prompt_ids(segments)) == "[Round 1]\n\n问：你好\n\n答："
    assert list(model.chat([ModelMessage("user", "你好")], SEEDED))


def test_a_prompt_of_ten_megabytes_is_refused_at_once(chat_model: ChatModel) -> None:
    started = time.monotonic()
    with pytest.raises(PromptTooLong):
        chat_model.chat([ModelMessage("user", "a" * 10_000_000)])
    assert time.monotonic() - started < 0.2


def test_a_base_model_continues_a_text_without_roles(chat_model: ChatModel) -> None:
    reply = chat_model.continue_text("The pilot", SEEDED)
    pieces = list(reply)
    prefix = [chat_model.tokenizer.control_id(name) for name in ("[gMASK]", "sop")]
    assert list(reply.prompt_ids) == prefix + chat_model.tokenizer.encode("The pilot")
    written = [i for i in reply.output_ids if not chat_model.tokenizer.is_control(i)]
    assert "".join(pieces) == chat_model.tokenizer.decode(written)


def test_a_reply_that_calls_an_offered_tool_is_told_apart_from_answers(
    chat_model: ChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = chat_model.tokenizer
    written = tokenizer.encode("weather\n```python\ntool_call(city='北京')\n```")
    tokens = [
        *map(GeneratedToken, written),
        GeneratedToken(tokenizer.control_id("<|observation|>"), "stop"),
    ]
    monkeypatch.setattr(chat_model.engine, "generate", lambda *_, **__: Scripted(tokens))
    offer = ModelMessage("system", "", tools=({"name": "weather", "parameters": {}},))
    reply = chat_model.chat([offer, QUESTION[1]])
    assert list(reply) == []
    [call] = reply.tool_calls
    assert (reply.metadata, call.name, call.arguments) == ("weather", "weather", '{"city": "北京"}')
    again = chat_model.format.call_message(call.name, call.arguments)
    assert again == ModelMessage("assistant", call.text, metadata="weather")


def test_the_generate_command_streams_a_reply(
    tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["generate", "--model", str(tiny_folder), "--prompt", "hi", "--device", "cpu"]
    assert main([*arguments, "--max-tokens", "40", "--temperature", "1.2", "--seed", "5"]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip()
    assert "completion tokens]" in captured.err


def test_the_generate_command_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "--model", str(tmp_path), "--prompt", "hi"]) == 2
    assert "config.json" in capsys.readouterr().err
    wrong = ["generate", "--model", str(tmp_path), "--prompt", "hi", "--temperature", "-1"]
    assert main(wrong) == 2
    assert "temperature is -1.0; accepted: 0 to 100" in capsys.readouterr().err


def test_the_bench_command_reports_both_speeds(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", "--random", "tiny", "--runs", "1", "--device", "cpu"]
    assert main([*arguments, "--dtype", "float32", "--prompt-tokens", "8"]) == 0
    out = capsys.readouterr().out
    assert "random tiny: 2 layers" in out
    assert "prefill " in out
    assert "decode " in out


def test_help_loads_no_heavy_library() -> None:
    script = (
        "import sys, llm.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        "import llm.chats.chat, llm.chats.chat_model, llm.decoding, llm.models.config\n"
        "print(sorted({'torch', 'numpy', 'sentencepiece'} & sys.modules.keys()), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stderr.strip() == "[]"
