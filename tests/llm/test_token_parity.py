"""Token parity: every recorded entry is compared, and any that is changed is found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm.errors import CheckpointError
from llm.parity.tokens import MAX_DIFFERENCES, token_parity

MODELS = ("v1", "v2", "v3", "glm4orig")


@pytest.fixture(scope="module")
def tokenizers(shared_dir: Path) -> Path:
    folder = shared_dir / "tokenizers"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    return folder


def recorded(goldens: Path, model: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((goldens / f"tokens_{model}.json").read_text("utf-8"))
    return content


@pytest.mark.parametrize("model", MODELS)
def test_every_entry_equals_the_released_tokenizer(
    goldens: Path, tokenizers: Path, model: str
) -> None:
    report = token_parity(goldens / f"tokens_{model}.json", tokenizers)
    assert report.differences == ()
    assert report.passed
    assert report.num_checks == sum(report.num_checks_of.values()) > 200
    unchecked = {entry for entry, count in report.num_checks_of.items() if not count}
    assert unchecked <= {"model", "prompts"}
    assert report.num_checks_of["encode_with_special"] == 36


def change_first(value: object) -> object:
    """The value with its first number, or else its first text, changed."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, list):
        return [change_first(value[0]), *value[1:]] if value else [0]
    assert isinstance(value, dict)
    key = next((key for key, inner in value.items() if inner not in ({}, [], "")), None)
    return {"x": 1} if key is None else value | {key: change_first(value[key])}


ENTRIES = (
    "encode_no_special",
    "encode_with_special",
    "roundtrip",
    "tokens",
    "special_ids",
    "attrs",
    "len",
    "prompt_ids",
    "chat",
    "padded_batch",
)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("model", MODELS)
def test_a_change_anywhere_is_found(
    goldens: Path, tokenizers: Path, tmp_path: Path, model: str, entry: str
) -> None:
    content = recorded(goldens, model)
    if entry not in content:
        pytest.skip(f"tokens_{model}.json has no {entry}")
    changed = tmp_path / "tokens.json"
    changed.write_text(json.dumps(content | {entry: changed_entry(entry, content[entry])}))
    try:
        report = token_parity(changed, tokenizers)
    except CheckpointError as error:
        # A row that is none of the recorded strings cannot be compared.
        assert "malformed entry 'padded_batch'" in str(error)
    else:
        assert not report.passed
        assert report.num_differences >= len(report.differences) > 0


def changed_entry(entry: str, value: dict[str, Any]) -> object:
    if entry != "chat":
        return change_first(value)
    name = next(iter(value))
    ids = value[name]["input_ids"]
    return value | {name: value[name] | {"input_ids": [*ids[:-1], ids[-1] + 1]}}


@pytest.mark.parametrize("field", ["attention_mask", "position_ids"])
@pytest.mark.parametrize("model", MODELS)
def test_a_changed_mask_or_position_of_a_batch_is_found(
    goldens: Path, tokenizers: Path, tmp_path: Path, model: str, field: str
) -> None:
    content = recorded(goldens, model)
    content["padded_batch"][field] = change_first(content["padded_batch"][field])
    (tmp_path / "tokens.json").write_text(json.dumps(content))
    report = token_parity(tmp_path / "tokens.json", tokenizers)
    assert report.num_differences == 1


def test_only_the_first_differences_are_told(
    goldens: Path, tokenizers: Path, tmp_path: Path
) -> None:
    content = recorded(goldens, "v3")
    content["encode_no_special"] = {text: [1] for text in content["encode_no_special"]}
    (tmp_path / "tokens.json").write_text(json.dumps(content))
    report = token_parity(tmp_path / "tokens.json", tokenizers)
    assert len(report.differences) == MAX_DIFFERENCES < report.num_differences
    assert "expected [1], found " in report.differences[0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda content: [content], "holds a list"),
        (lambda content: content | {"model": "v9"}, "'v9'; expected one of v1, v2, v3, glm4orig"),
        (lambda content: content | {"poems": {}}, "has the entry 'poems'; known: model"),
        (lambda content: content | {"attrs": {"weight": "1"}}, "malformed entry 'attrs'"),
        (lambda content: content | {"chat": {"x": {}}}, "malformed entry 'chat'"),
    ],
)
def test_a_file_that_cannot_be_compared_is_refused(
    goldens: Path,
    tokenizers: Path,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    named: str,
) -> None:
    (tmp_path / "tokens.json").write_text(json.dumps(change(recorded(goldens, "v3"))))
    with pytest.raises(CheckpointError) as caught:
        token_parity(tmp_path / "tokens.json", tokenizers)
    assert named in str(caught.value)


def test_missing_files_are_named(goldens: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no tokenizer\.model of the generation v3"):
        token_parity(goldens / "tokens_v3.json", tmp_path)
    with pytest.raises(CheckpointError, match=r"cannot read .*absent\.json"):
        token_parity(tmp_path / "absent.json", tmp_path)
