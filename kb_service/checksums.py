"""Whether the files of a model folder are the ones that were shipped.

Knows lists of SHA-256 beside the files. Does not know what the files mean.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from kb_service.domain.errors import ConfigurationError
from kb_service.domain.hashing import sha256_of_file

CHECKSUMS_FILE = "SHA256SUMS.json"
PLAIN_CHECKSUMS_FILE = "SHA256SUMS"
"""As `sha256sum FILE… > SHA256SUMS` writes it, for folders that come without our list."""

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How the few lines begin that stand for a large file in a clone made without Git LFS."""

_PAGES = (b"<!doctype html", b"<html", b"<?xml")
_MODEL_FILES = (".safetensors", ".bin", ".model", ".json", ".onnx", ".npy", ".pt")
"""Files of a model that are never empty and never a web page: then a download failed."""


def verify_checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that ``SHA256SUMS.json`` (else ``SHA256SUMS``) lists, after checking.

    A folder without such a file gives an empty mapping. Raises ConfigurationError
    ``model_corrupt`` that names the file, the expected and the found checksum, or says that Git LFS
    has yet to fetch it; ``model_missing`` for a file that is gone.
    """
    _refuse_absent(folder)
    expected = listed_checksums(folder)
    for name, checksum in expected.items():
        path = folder / name
        if not path.is_file():
            raise _mismatch(f"{path} is missing", "model_missing", path, checksum, "absent")
        try:
            found = sha256_of_file(path)
        except OSError as error:
            found = f"unreadable ({error.strerror})"
        if found != checksum:
            what = f"{path} is not the file it should be"
            raise _mismatch(what, "model_corrupt", path, checksum, found)
    return expected


def _refuse_absent(folder: Path) -> None:
    """Raise for the first file that stands for one that was never fetched."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (problem := _what_it_is(path)):
            raise _unusable(path, problem)


def _what_it_is(path: Path) -> str:
    """Return what a file is in the place of the real one, "" when it may be that."""
    try:
        with path.open("rb") as file:
            head = file.read(256)
    except OSError:  # whoever needs the file says what is wrong
        return ""
    if head.startswith(LFS_POINTER):
        return (
            f"it is a Git LFS pointer, not the file itself; run `git lfs pull` in {path.parent}, "
            "or download the file"
        )
    if path.suffix not in _MODEL_FILES:
        return ""
    if head.lstrip().lower().startswith(_PAGES):
        return "it is a web page, not the file itself; download the file again"
    return "" if head else "it is empty; download the file again"


def _mismatch(what: str, code: str, path: Path, expected: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what}: expected SHA-256 {expected}, found {found}",
        code=code,
        details={"file": str(path), "expected": expected, "found": found},
    )


def listed_checksums(folder: Path) -> dict[str, str]:
    """What the list beside the files says, unchecked; empty without one. Raises as above."""
    listing, plain = folder / CHECKSUMS_FILE, folder / PLAIN_CHECKSUMS_FILE
    if listing.is_file():
        expected = _read_json(listing)
        if not isinstance(expected, dict):
            raise _unusable(listing, "it must map file names to SHA-256")
        return {str(name): str(checksum) for name, checksum in expected.items()}
    return _read_plain(plain) if plain.is_file() else {}


def _read_json(path: Path) -> Any:  # noqa: ANN401 - JSON of any shape, checked by the caller
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _unusable(path, f"it is not JSON: {error}") from error


def _read_plain(path: Path) -> dict[str, str]:
    """Lines of `<64 hex digits> <blank or *><name>`."""
    expected: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"it is not UTF-8 text: {error}") from error
    for line in lines:
        checksum, _, name = line.partition(" ")
        if len(checksum) != hashlib.sha256().digest_size * 2 or not name[1:]:
            raise _unusable(path, f"{line[:80]!r} is no line of sha256sum")
        expected[name[1:].removeprefix("./")] = checksum.lower()
    return expected


def _unusable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be used: {reason}", code="model_corrupt", details={"file": str(path)}
    )
