"""Index snapshots on disk: immutable checksummed folders and the pointer to the current one.

Knows `<index_root>/<kb_id>/gen-<seq>-<random>/` with its `manifest.json`, and `CURRENT.json`
beside them. Knows nothing of what an index is: whoever builds one writes files into a folder.

Publishing: write into `build-…` on the same file system → checksums → fsync files and folders →
rename to `gen-…` → CURRENT.json by temp file, fsync, rename, fsync of the parent. A crash at any
point leaves the previous snapshot in force. A snapshot that fails its checksums, or was made
for another embedding profile, format or engine version, is rejected, never served.
"""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from kb_service.domain.errors import InvalidRequest, StorageError
from kb_service.domain.hashing import sha256_of_file
from kb_service.domain.ports import EmbeddingProfile
from retrievers.failures import IndexFailed
from retrievers.folders import (
    ClaimedFolder,
    exclusive,
    fsync_path,
    fsync_tree,
    replace_durably,
    sweep,
)

FORMAT_VERSION = 4
"""Raise it when the files, or the terms that passages are indexed under, change."""

MANIFEST_FILE = "manifest.json"
CURRENT_FILE = "CURRENT.json"
BUILD_PREFIX = "build"
_SNAPSHOT_NAME = re.compile(r"gen-(\d+)-[0-9a-f]{8}")
_KB_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading a JSON file of someone else's making may raise."""


class SnapshotRejected(IndexFailed):
    """A snapshot that must not be served; the message says why."""

    default_code = "index_generation_rejected"


@dataclass(frozen=True, slots=True)
class IndexCounts:
    """How much a snapshot holds."""

    num_chunks: int
    num_vectors: int
    num_revisions: int


@dataclass(frozen=True, slots=True)
class FileEntry:
    """The checksum (SHA-256, hex) and size of one file."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot claims about itself. `seq`: the last change it contains.

    `files`: path relative to the snapshot (with `/`) -> FileEntry, every file but the manifest.
    """

    kb_id: str
    seq: int
    fingerprint: str
    dimension: int
    counts: IndexCounts
    files: dict[str, FileEntry]
    engines: dict[str, str]
    format: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class IndexSnapshot:
    """A published snapshot: its folder and its manifest."""

    path: Path
    manifest: Manifest


class SnapshotStore:
    """The snapshots of one knowledge base under one embedding profile."""

    def __init__(self, index_root: Path, kb_id: str, profile: EmbeddingProfile) -> None:
        self.folder = base_folder(index_root, kb_id)
        self._kb_id = kb_id
        self._profile = profile

    def candidates(self) -> list[str]:
        """Return the names of the snapshots there are: the current one, then newest first."""
        names = sorted(
            (path.name for path in self.folder.glob("gen-*") if _seq_of(path.name) is not None),
            key=lambda name: (_seq_of(name) or 0, name),
            reverse=True,
        )
        current = self.current_name()
        return sorted(names, key=lambda name: name != current)

    def current_name(self) -> str | None:
        """Return the snapshot that CURRENT.json names, None when it names none."""
        try:
            name = json.loads((self.folder / CURRENT_FILE).read_bytes())["generation"]
        except _UNREADABLE:
            return None  # absent or damaged: the folders themselves still tell
        return name if isinstance(name, str) and _seq_of(name) is not None else None

    def describe(self, name: str) -> IndexSnapshot:
        """Return a snapshot by its manifest alone. Raises SnapshotRejected."""
        path = self.folder / name
        manifest = _read_manifest(path)
        expected = (self._kb_id, self._profile.fingerprint, self._profile.dimension)
        if (manifest.kb_id, manifest.fingerprint, manifest.dimension) != expected:
            raise SnapshotRejected(
                f"{name} was made for base {manifest.kb_id} with embedding profile "
                f"{manifest.fingerprint[:12]} ({manifest.dimension} dimensions)"
            )
        if (manifest.format, manifest.engines) != (FORMAT_VERSION, engine_versions()):
            raise SnapshotRejected(
                f"{name} has format {manifest.format} by {manifest.engines}, "
                f"not {FORMAT_VERSION} by {engine_versions()}"
            )
        return IndexSnapshot(path, manifest)

    def verify(self, name: str) -> IndexSnapshot:
        """Return a snapshot after checking every byte. Raises SnapshotRejected."""
        snapshot = self.describe(name)
        for relative, entry in snapshot.manifest.files.items():
            _verify_file(snapshot.path / relative, entry)
        return snapshot

    def publish(
        self,
        seq: int,
        counts: IndexCounts,
        write: Callable[[Path], None],
        rejected: Collection[str] = (),
    ) -> str:
        """Make a new current snapshot; `write` puts the index files into the folder it is given.

        `rejected`: names of snapshots known to be bad, removed with the old ones. When another
        process has meanwhile published one at least as new, that one stays. Returns the name of
        the current snapshot. Raises StorageError when the disk refuses.
        """
        try:
            if self.folder.is_file():
                self.folder.unlink()
            with exclusive(self.folder):
                sweep(self.folder, BUILD_PREFIX)
                newer = self._newer(seq, rejected)
                return newer or self._publish(seq, counts, write, rejected)
        except OSError as error:
            raise StorageError(
                f"cannot publish an index generation in {self.folder}: {error.strerror or error}",
                code="index_not_published",
            ) from error

    def _newer(self, seq: int, rejected: Collection[str]) -> str | None:
        name = self.current_name()
        if name is None or name in rejected:
            return None
        try:
            return name if self.describe(name).manifest.seq >= seq else None
        except SnapshotRejected:
            return None

    def _publish(
        self,
        seq: int,
        counts: IndexCounts,
        write: Callable[[Path], None],
        rejected: Collection[str],
    ) -> str:
        previous = self.current_name()
        build = ClaimedFolder(self.folder, BUILD_PREFIX)
        try:
            write(build.path)
            _write_manifest(build.path, self._manifest(build.path, seq, counts))
            fsync_tree(build.path)
            name = f"gen-{seq}-{secrets.token_hex(4)}"
            build.path.rename(self.folder / name)
            fsync_path(self.folder)
        finally:
            build.close()
        content = {"format": FORMAT_VERSION, "generation": name}
        pointer = self.folder / CURRENT_FILE
        if pointer.is_dir():
            shutil.rmtree(pointer)  # a folder cannot be replaced by a file
        replace_durably(pointer, json.dumps(content).encode())
        self._prune({name, None if previous in rejected else previous})
        return name

    def _manifest(self, folder: Path, seq: int, counts: IndexCounts) -> Manifest:
        files = {
            path.relative_to(folder).as_posix(): FileEntry(
                sha256_of_file(path), path.stat().st_size
            )
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        profile = self._profile
        return Manifest(
            self._kb_id,
            seq,
            profile.fingerprint,
            profile.dimension,
            counts,
            files,
            engine_versions(),
        )

    def _prune(self, kept: Collection[str | None]) -> None:
        for path in self._leftovers(kept):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _leftovers(self, kept: Collection[str | None]) -> Iterator[Path]:
        yield from (path for path in self.folder.glob("gen-*") if path.name not in kept)
        yield from self.folder.glob(f"{CURRENT_FILE}.*.tmp")


def base_folder(index_root: Path, kb_id: str) -> Path:
    """Return the folder of a base's snapshots. Raises InvalidRequest for no plain name."""
    if not _KB_ID.fullmatch(kb_id):
        raise InvalidRequest(
            f"knowledge base id {kb_id!r} is not 1 to 128 letters, digits, '_' or '-'"
        )
    return index_root / kb_id


def engine_versions() -> dict[str, str]:
    """Return the versions of the libraries whose formats, or folded terms, a snapshot holds."""
    return {name: version(name) for name in ("tantivy", "faiss-cpu", "opencc")}


def _seq_of(name: str) -> int | None:
    match = _SNAPSHOT_NAME.fullmatch(name)
    return int(match.group(1)) if match else None


def _verify_file(path: Path, entry: FileEntry) -> None:
    try:
        is_intact = path.stat().st_size == entry.size_bytes and sha256_of_file(path) == entry.sha256
    except OSError as error:
        raise SnapshotRejected(f"{path.parent.name}: {path.name} cannot be read") from error
    if not is_intact:
        raise SnapshotRejected(f"{path.parent.name}: {path.name} differs from its manifest")


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    body = asdict(manifest)
    content = {"manifest": body, "sha256": _digest(body)}
    (folder / MANIFEST_FILE).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _read_manifest(folder: Path) -> Manifest:
    try:
        content = json.loads((folder / MANIFEST_FILE).read_bytes())
        body = content["manifest"]
        if content["sha256"] != _digest(body):
            raise SnapshotRejected(f"{folder.name}: {MANIFEST_FILE} fails its own checksum")
        entries = {name: FileEntry(**entry) for name, entry in body["files"].items()}
        counts = IndexCounts(**body["counts"])
        if not all(type(number) is int for number in (body["seq"], *asdict(counts).values())):
            raise TypeError("not a number")
        return Manifest(**{**body, "counts": counts, "files": entries})
    except _UNREADABLE as error:
        raise SnapshotRejected(f"{folder.name}: {MANIFEST_FILE} cannot be read") from error


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
