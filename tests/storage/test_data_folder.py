"""The data folder is its owner's alone, new or old, as far as the file system lets that be."""

import os
from pathlib import Path

import pytest

from kb_service.settings import Settings
from kb_service.storage.data_folder import foreign_names, open_to_others, tighten
from kb_service.storage.opening import open_storage


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """A data folder as it was made before: readable by everybody."""
    folder = tmp_path / "data"
    for name in ("blobs/ab/cd", "index/kb_1/gen-1", "tmp", "sync"):
        (folder / name).mkdir(parents=True)
    for name in (
        "kb.sqlite3", "kb.sqlite3-wal", "blobs/ab/cd/abcd", "index/kb_1/gen-1/manifest.json",
        "tmp/staged-1",
    ):  # fmt: skip
        (folder / name).write_text("words")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def test_an_old_folder_is_closed_to_others_with_all_that_is_in_it(loose: Path) -> None:
    assert len(open_to_others(loose)) == 7
    tighten(loose)
    for path in (loose, *loose.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    assert open_to_others(loose) == []


def test_a_file_that_became_readable_later_is_closed_again(loose: Path) -> None:
    tighten(loose)
    (loose / "kb.sqlite3").chmod(0o644)
    tighten(loose)
    assert mode(loose / "kb.sqlite3") == 0o600


def test_a_new_folder_and_its_database_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        storage = open_storage(Settings(data_dir=tmp_path / "data"))
        storage.reserve.restore()
        with storage.database.write():
            pass
        modes = {path.name: mode(path) for path in (tmp_path / "data").iterdir()}
    finally:
        os.umask(before)
    assert mode(tmp_path / "data") == 0o700
    assert modes["kb.sqlite3"] == modes["kb.sqlite3-wal"] == modes["reserve"] == 0o600


def test_a_folder_that_also_holds_other_things_keeps_its_own_rights(loose: Path) -> None:
    (loose / "holiday.jpg").write_text("not ours")
    (loose / "holiday.jpg").chmod(0o644)
    tighten(loose)
    assert foreign_names(loose) == ["holiday.jpg"]
    assert (mode(loose), mode(loose / "holiday.jpg")) == (0o755, 0o644)
    assert mode(loose / "tmp") == 0o755, "the name alone does not make it ours"
    assert mode(loose / "blobs" / "ab" / "cd" / "abcd") == 0o600
    assert mode(loose / "kb.sqlite3") == 0o600


def test_links_are_not_followed(loose: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("not ours")
    for path, number in ((outside, 0o755), (outside / "file", 0o644)):
        path.chmod(number)
    (loose / "blobs" / "link").symlink_to(outside)
    tighten(loose)
    assert (mode(outside), mode(outside / "file")) == (0o755, 0o644)


def test_what_belongs_to_somebody_else_is_left_and_named(
    loose: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    tighten(loose)
    assert open_to_others(loose)[0] == loose
    assert mode(loose / "kb.sqlite3") == 0o644


def test_a_file_system_without_rights_is_named(
    loose: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "chmod", lambda *_: None)  # as vfat does
    tighten(loose)
    assert loose in open_to_others(loose)
