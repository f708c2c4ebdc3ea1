"""The files of a model folder against the checksums beside them."""

import json
from pathlib import Path

import pytest

from kb_service.checksums import verify_checksums
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.hashing import sha256_of_file


def folder_with(tmp_path: Path, listing: str = "SHA256SUMS.json") -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "weights.bin").write_bytes(b"weights")
    sums = {"parts/weights.bin": sha256_of_file(tmp_path / "parts" / "weights.bin")}
    plain = "".join(f"{checksum} *{name}\n" for name, checksum in sums.items())
    content = json.dumps(sums) if listing.endswith(".json") else plain
    (tmp_path / listing).write_text(content, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("listing", ["SHA256SUMS.json", "SHA256SUMS"])
def test_intact_files_pass_and_a_flipped_bit_is_named_with_both_checksums(
    tmp_path: Path, listing: str
) -> None:
    folder = folder_with(tmp_path, listing)
    weights = folder / "parts" / "weights.bin"
    expected = sha256_of_file(weights)
    assert verify_checksums(folder) == {"parts/weights.bin": expected}
    weights.write_bytes(b"veights")
    with pytest.raises(ConfigurationError) as caught:
        verify_checksums(folder)
    assert caught.value.code == "model_corrupt"
    for part in (str(weights), expected, sha256_of_file(weights)):
        assert part in caught.value.message


@pytest.mark.parametrize("listing", ["SHA256SUMS.json", "SHA256SUMS"])
def test_a_listed_file_that_is_gone_is_refused(tmp_path: Path, listing: str) -> None:
    folder = folder_with(tmp_path, listing)
    (folder / "parts" / "weights.bin").unlink()
    with pytest.raises(ConfigurationError, match="found absent"):
        verify_checksums(folder)


@pytest.mark.parametrize(
    ("listing", "content"),
    [
        ("SHA256SUMS.json", b"[]"),
        ("SHA256SUMS.json", b"{"),
        ("SHA256SUMS.json", b"\xff"),
        ("SHA256SUMS", b"\xff"),
        ("SHA256SUMS", b"abc  weights.bin\n"),
        ("SHA256SUMS", b"0" * 64 + b"\n"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(
    tmp_path: Path, listing: str, content: bytes
) -> None:
    (tmp_path / listing).write_bytes(content)
    with pytest.raises(ConfigurationError, match=listing) as caught:
        verify_checksums(tmp_path)
    assert caught.value.code == "model_corrupt"


def test_a_folder_without_a_list_is_not_checked(tmp_path: Path) -> None:
    assert verify_checksums(tmp_path) == {}


@pytest.mark.parametrize("name", ["parts/weights.bin", "model.safetensors", "parts/deep/vocab.txt"])
def test_a_file_that_git_lfs_has_yet_to_fetch_is_named_with_the_way_to_fetch_it(
    tmp_path: Path, name: str
) -> None:
    folder = folder_with(tmp_path)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4242\n"
    )
    with pytest.raises(ConfigurationError, match="git lfs pull") as caught:
        verify_checksums(folder)
    assert caught.value.code == "model_corrupt"
    assert str(folder / name) in caught.value.message


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("model.safetensors", b"", "it is empty"),
        ("1_Dense/config.json", b"", "it is empty"),
        ("tokenizer.json", b"\n<!DOCTYPE html><html>403</html>", "a web page"),
        ("model.safetensors", b"<?xml version='1.0'?><Error/>", "a web page"),
    ],
)
def test_what_a_failed_download_saved_is_named(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    folder = folder_with(tmp_path)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / ".gitkeep").touch()
    with pytest.raises(ConfigurationError, match=told) as caught:
        verify_checksums(folder)
    assert (caught.value.code, caught.value.details) == (
        "model_corrupt", {"file": str(folder / name)},
    )  # fmt: skip
