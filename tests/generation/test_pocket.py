"""The shipped pocket reader as a generator: the extractive reader's sentences, words by weights."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from kb_service.domain.answers import Generation, GenerationRequest
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.ports import Generator
from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.generation.chatglm import ChatGlmGenerator
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.pocket import MAX_QUESTION_CHARS, PocketGenerator
from kb_service.generation.pocket_folder import is_pocket_reader
from kb_service.generation.pocket_model import PocketReader
from tests.conftest import ROOT

SHIPPED = ROOT / "models" / "pocket-reader"
BRIDGE = "长江大桥位于武汉市，于1957年10月15日建成通车，全长1670米。大桥由苏联专家协助设计。"
CURIE = "Marie Curie was a physicist who worked in Paris. She discovered radium in 1898."


@pytest.fixture(scope="module")
def generator() -> PocketGenerator:
    return PocketGenerator.load(SHIPPED)


def passages(texts: Sequence[str]) -> tuple[Passage, ...]:
    return tuple(
        Passage(n, n, f"d{n}", n, "0" * 64, "题", TextSpan(0, len(text)), text, 1.0)
        for n, text in enumerate(texts, start=1)
    )


def answer(generator: Generator, question: str, *texts: str) -> Generation:
    stream = generator.generate(GenerationRequest(question, passages(texts), ()))
    said = ""
    while True:
        try:
            said += next(stream)
        except StopIteration as end:
            generation: Generation = end.value
            assert generation.text == said
            return generation


def test_its_weights_choose_words_of_a_quoted_sentence(generator: PocketGenerator) -> None:
    assert answer(generator, "长江大桥由谁协助设计？", BRIDGE).answer_words == "苏联专家"
    assert answer(generator, "长江大桥什么时候建成通车？", BRIDGE).answer_words == "1957年10月15日"


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("长江大桥由谁协助设计？", [BRIDGE, CURIE]),
        ("Where did Marie Curie work?", [CURIE, BRIDGE]),
        ("月球背面的温度是多少？", [BRIDGE]),
        ("Who painted the ceiling?", [CURIE]),
        ("Who?", []),
    ],
)
def test_sentences_and_refusals_are_those_of_the_extractive_reader(
    generator: PocketGenerator, question: str, texts: list[str]
) -> None:
    ours, theirs = (answer(g, question, *texts) for g in (generator, ExtractiveReader()))
    assert ours.text == theirs.text
    assert all(words in "".join(texts) for words in [ours.answer_words] if words)


def test_long_questions_and_marks_of_the_tokenizer_do_no_harm(
    generator: PocketGenerator,
) -> None:
    question = "长江大桥由谁协助设计？"
    spelled = answer(generator, question, BRIDGE.replace("大桥由", "大桥\u2581由"))
    assert spelled.answer_words
    lengthy = question + "请回答。" * MAX_QUESTION_CHARS
    unread = answer(ExtractiveReader(), lengthy, BRIDGE)
    assert answer(generator, lengthy, BRIDGE).answer_words == unread.answer_words


def test_without_the_span_model_the_words_of_rules_are_ranked(generator: PocketGenerator) -> None:
    question = "长江大桥什么时候建成通车？"
    alone = PocketGenerator(generator._reader, weights={})
    assert answer(alone, question, BRIDGE).answer_words == "1957年10月15日"


def test_it_names_its_folder_its_files_and_the_better_reader(generator: PocketGenerator) -> None:
    info = generator.info
    sums = json.loads((SHIPPED / "SHA256SUMS.json").read_text())
    assert info.name == "pocket-reader"
    assert info.kind == "extractive"
    assert info.model_sha256 == sums["model.safetensors"]
    assert info.tokenizer_sha256 == sums["tokenizer.model"]
    assert "KB_LLM__MODEL" in info.notice_en
    assert "KB_LLM__MODEL" in info.notice_zh
    assert "7.4 M weights" in generator.description


def test_every_shipped_file_is_listed_and_licensed() -> None:
    files = {path.name for path in SHIPPED.iterdir()}
    sums = json.loads((SHIPPED / "SHA256SUMS.json").read_text())
    assert set(sums) == files - {"SHA256SUMS.json"}
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 40e6
    licence = (SHIPPED / "LICENSE").read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in licence
    assert all(name in licence for name in ("CMRC 2018", "DRCD", "SQuAD"))


def test_a_folder_is_told_by_its_config(tmp_path: Path) -> None:
    assert is_pocket_reader(SHIPPED)
    assert not is_pocket_reader(tmp_path)
    for content in ("{", "[]", '{"model_type": "chatglm"}'):
        (tmp_path / "config.json").write_text(content)
        assert not is_pocket_reader(tmp_path)
    (tmp_path / "config.json").write_text('{"pocket_reader": "1"}')
    with pytest.raises(ConfigurationError, match="pocket_reader = '1'; expected 1"):
        is_pocket_reader(tmp_path)


def test_a_chat_models_folder_is_no_pocket_reader(tmp_path: Path) -> None:
    sums = {}
    for path in SHIPPED.glob("*.*"):
        content = path.read_bytes().replace(b'  "pocket_reader": 1,\n', b"")
        (tmp_path / path.name).write_bytes(content)
        sums[path.name] = hashlib.sha256(content).hexdigest()
    del sums["SHA256SUMS.json"]
    (tmp_path / "SHA256SUMS.json").write_text(json.dumps(sums))
    with pytest.raises(ConfigurationError, match="it has no field pocket_reader"):
        PocketReader.load(tmp_path)


def test_a_pocket_reader_is_never_loaded_as_a_chat_model() -> None:
    with pytest.raises(ConfigurationError, match="is a pocket reader, no chat model"):
        ChatGlmGenerator.load(str(SHIPPED), max_tokens=8, temperature=0.0)


def test_a_second_weight_file_is_refused(tmp_path: Path) -> None:
    for path in SHIPPED.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    index = {"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in ("a.safetensors", "b.safetensors"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ConfigurationError, match="its weights are 2 files"):
        PocketReader.load(tmp_path)
