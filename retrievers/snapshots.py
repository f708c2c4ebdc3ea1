"""Index snapshots on disk: immutable checksummed folders and the pointer to the current one.

Knows `<index_root>/<kb_id>/gen-<seq>-<random>/` with its `manifest.json`, and `CURRENT.json`
beside them. Knows nothing of what an index is: whoever builds one writes files into a folder.

Publishing: write into `build-…` on the same file system (what the snapshot before has already is
not written again: it gets one more name) → checksums → fsync files and folders →
rename to `gen-…` → CURRENT.json by temp file, fsync, rename, fsync of the parent. A crash at any
point leaves the previous snapshot in force. A snapshot that fails its checksums, or was made
for another embedding profile, format or engine version, is rejected, never served.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
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

FORMAT_VERSION = 5
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


@dataclass(frozen=True, slots=True)
class SnapshotDraft:
    """A snapshot that is being written into the folder `path`, which is empty at first.

    `known`: the files of the snapshot before, in the folder `earlier`, which was complete at
    `made_at_ns`. `taken`: those of them that are in this one.
    """

    path: Path
    earlier: Path | None = None
    known: Mapping[str, FileEntry] = field(default_factory=dict)
    made_at_ns: int = 0
    taken: dict[str, FileEntry] = field(default_factory=dict)

    def take(self, target: Path) -> bool:
        """Give a file of this draft the content that its name had in the snapshot before.

        False when it had none, or somebody wrote into it since. Nothing is copied: the file gets
        one more name.
        """
        name = target.relative_to(self.path).as_posix()
        entry = self.known.get(name)
        if entry is None or self.earlier is None:
            return False
        try:
            status = (self.earlier / name).stat()
            if status.st_size != entry.size_bytes or status.st_mtime_ns > self.made_at_ns:
                return False
            os.link(self.earlier / name, target)
        except OSError:
            return False
        self.taken[name] = entry
        return True


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
        write: Callable[[SnapshotDraft], None],
        rejected: Collection[str] = (),
        earlier: str | None = None,
    ) -> str:
        """Make a new current snapshot; `write` puts the index files into the draft it is given.

        `rejected`: names of snapshots known to be bad, removed with the old ones. `earlier`: the
        snapshot whose files it may take instead of writing them. When another
        process has meanwhile published one at least as new, that one stays. Returns the name of
        the current snapshot. Raises StorageError when the disk refuses.
        """
        try:
            if self.folder.is_file():
                self.folder.unlink()
            with exclusive(self.folder):
                sweep(self.folder, BUILD_PREFIX)
                newer = self._newer(seq, rejected, earlier)
                return newer or self._publish(seq, counts, write, rejected, earlier)
        except OSError as error:
            raise StorageError(
                f"cannot publish an index generation in {self.folder}: {error.strerror or error}",
                code="index_not_published",
            ) from error

    def _newer(self, seq: int, rejected: Collection[str], earlier: str | None) -> str | None:
        name = self.current_name()
        if name is None or name in rejected or name == earlier:
            return None
        try:
            return name if self.describe(name).manifest.seq >= seq else None
        except SnapshotRejected:
            return None

    def _publish(
        self,
        seq: int,
        counts: IndexCounts,
        write: Callable[[SnapshotDraft], None],
        rejected: Collection[str],
        earlier: str | None,
    ) -> str:
        previous = self.current_name()
        build = ClaimedFolder(self.folder, BUILD_PREFIX)
        try:
            draft = self._draft(build.path, None if earlier in rejected else earlier)
            write(draft)
            _write_manifest(build.path, self._manifest(draft, seq, counts))
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

    def _draft(self, path: Path, earlier: str | None) -> SnapshotDraft:
        if earlier is None:
            return SnapshotDraft(path)
        folder = self.folder / earlier
        try:
            made_at_ns = (folder / MANIFEST_FILE).stat().st_mtime_ns
            return SnapshotDraft(path, folder, self.describe(earlier).manifest.files, made_at_ns)
        except (OSError, SnapshotRejected):
            return SnapshotDraft(path)

    def _manifest(self, draft: SnapshotDraft, seq: int, counts: IndexCounts) -> Manifest:
        found = (path for path in sorted(draft.path.rglob("*")) if path.is_file())
        names = {path.relative_to(draft.path).as_posix(): path for path in found}
        files = {name: draft.taken.get(name) or _entry(path) for name, path in names.items()}
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


@cache
def engine_versions() -> dict[str, str]:
    """Return the versions of the libraries whose formats, or folded terms, a snapshot holds.

    Read once: each is a file with the papers of a package, and they are asked for with each
    document.
    """
    return {name: version(name) for name in ("tantivy", "faiss-cpu", "opencc")}


def _seq_of(name: str) -> int | None:
    match = _SNAPSHOT_NAME.fullmatch(name)
    return int(match.group(1)) if match else None


def _entry(path: Path) -> FileEntry:
    return FileEntry(sha256_of_file(path), path.stat().st_size)


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
