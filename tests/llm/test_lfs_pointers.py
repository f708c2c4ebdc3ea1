"""A folder cloned without Git LFS: each file that is only a pointer is named, and how to get it."""

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
