"""A folder that was not fetched whole: each file that is only a name is told, and how to get it."""

import shutil
from pathlib import Path

import pytest

from llm.chats.chat_model import ChatModel
from llm.errors import CheckpointError

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{7:064}\nsize 1018370\n"


@pytest.mark.parametrize(
    "name",
    [
        "tokenizer.model",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "config.json",
    ],
)
def test_a_pointer_in_the_place_of_any_file_is_named_with_the_way_to_fetch_it(
    tiny_folder: Path, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    (folder / name).write_text(POINTER)
    with pytest.raises(CheckpointError, match="git lfs pull") as caught:
        ChatModel.load(folder, device="cpu")
    assert name in str(caught.value)


def test_a_pointer_in_the_place_of_pickled_weights_is_named_as_well(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    for path in folder.glob("model*"):
        path.unlink()
    (folder / "pytorch_model.bin").write_text(POINTER)
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin is a Git LFS pointer of 132 b"):
        ChatModel.load(folder, device="cpu")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty; download"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "a web page of 45 bytes"),
        (b"  <html>log in</html>", "a web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "a web page"),
    ],
)
@pytest.mark.parametrize("name", ["tokenizer.model", "model-00001-of-00002.safetensors"])
def test_what_a_failed_download_saved_is_named(
    tiny_folder: Path, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=told) as caught:
        ChatModel.load(folder, device="cpu")
    assert name in str(caught.value)


@pytest.mark.parametrize("ending", [".incomplete", ".part", ".aria2"])
def test_a_download_that_broke_off_is_named_beside_what_is_missing(
    tiny_folder: Path, tmp_path: Path, ending: str
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    shard = folder / "model-00002-of-00002.safetensors"
    shard.rename(folder / f"{shard.name}{ending}")
    with pytest.raises(CheckpointError, match="broke off") as caught:
        ChatModel.load(folder, device="cpu")
    assert ending in str(caught.value)
