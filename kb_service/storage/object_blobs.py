"""Original bytes in an object store (S3 and its like): the same promises as the folder's.

An object is stored whole by one request under the name of its SHA-256, and fetched back and hashed
before anything is said to be stored. What reads a file gets a copy in the data folder, compared
with its name each time; copies go a while after their last use, and at once with their blob. Knows
a file system of fsspec; the library that speaks to the store is opened elsewhere.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kb_service.domain.errors import ConfigurationError, StorageError
from kb_service.domain.hashing import sha256_of_file
from kb_service.storage.blobs import SHA256, STAGED_PREFIX, BlobState, BlobStore, StagedBlob

UNDER_WAY = timedelta(hours=1)
"""An object that nothing refers to is no leftover before: its upload may not have ended."""

TIDY_EVERY_S = 10.0
IN_USE_S = 60.0
"""A copy used so lately stays, whatever its limits: somebody may be reading it."""

REMOVE_WAIT_S = 20.0
"""Longest wait for each of the two requests of a removal, with what is tried again: a writer who
stands still for `postgres.STANDSTILL_S` loses its turn.
"""


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A bucket and the beginning of its keys. `failures`: raised where the store is the cause.

    `filesystem`: of s3fs. `told`: what an error says, without secrets.
    """

    filesystem: Any
    bucket: str
    prefix: str
    failures: tuple[type[Exception], ...]
    told: Callable[[Exception], str]


@dataclass(frozen=True, slots=True)
class CopyLimits:
    """How long a copy stays after its last use, and the room of all copies on this machine."""

    keep_s: float
    max_bytes: int


@dataclass(slots=True)
class _State:
    is_checked: bool = False
    tidier: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class ObjectBlobs(BlobStore):
    """Blobs of an object store; `copies` is the folder for copies of them, and of this machine."""

    num_at_once = 20
    is_far = True

    def __init__(self, store: ObjectStore, copies: Path, limits: CopyLimits) -> None:
        super().__init__(copies)
        self._store = store
        self._limits = limits
        self._state = _State()

    @property
    def place(self) -> str:
        """Where the blobs are, in words."""
        return f"s3://{self._store.bucket}/{self._store.prefix}".rstrip("/")

    def describe(self) -> str:
        """Return where the blobs are. Raises what keeps them from being stored there."""
        self._require_no_versions()
        with self._errors("look into the object store"):
            self._store.filesystem.call_s3(
                "list_objects_v2", Bucket=self._store.bucket, Prefix=self._store.prefix, MaxKeys=1
            )
        return self.place

    def send(self, staged: StagedBlob) -> bool:
        """Store the bytes where they are not yet; True when they were not.

        Before the transaction that refers to them, so that it waits for no network. Raises
        StorageError (storage_unavailable; blob_damaged when other bytes come back).
        """
        self._require_no_versions()
        # Storing it will tell that there is no bucket.
        if self._state_of(staged.sha256, is_bucket_sure=True) is BlobState.WHOLE:
            return False
        self._put(staged)
        if self.state_of(staged.sha256) is not BlobState.WHOLE:
            raise StorageError(
                f"{self.place} does not give back what was stored; SHA-256 {staged.sha256}",
                code="blob_damaged",
                details={"sha256": staged.sha256},
            )
        return True

    def _put(self, staged: StagedBlob) -> None:
        try:
            stream = staged.path.open("rb")
        except OSError as error:
            raise StorageError.from_os_error("store a file", error) from error
        with stream, self._errors("store a file"):
            self._store.filesystem.call_s3(
                "put_object",
                Bucket=self._store.bucket,
                Key=self._key(staged.sha256),
                Body=stream,
                ContentLength=staged.size_bytes,
            )

    def publish(self, staged: StagedBlob, *, is_kept: bool = False) -> Path:
        """See that the bytes are stored, and store them where a sweep may have taken them.

        Only inside a database write transaction, after `send`. Raises StorageError.
        """
        if not is_kept:
            found = self._info(staged.sha256)
            if found is None or found["size"] != staged.size_bytes:
                self.send(staged)
        self.discard(staged)
        return self.path(staged.sha256)

    def exists(self, sha256: str) -> bool:
        """True when the blob is in the store. Raises StorageError."""
        return self._info(sha256) is not None

    def unlink(self, sha256: str) -> None:
        """Remove a blob if it is there, with its copy and what was read of it.

        Only inside a database write transaction. Raises StorageError.
        """
        self._require_no_versions(REMOVE_WAIT_S)
        super().unlink(sha256)
        with self._errors(f"remove blob {sha256}"):
            self._store.filesystem.call_s3(
                "delete_object",
                Bucket=self._store.bucket,
                Key=self._key(sha256),
                timeout=REMOVE_WAIT_S,
            )

    def iter_sha256(self) -> Iterator[str]:
        """Yield the hash of every stored blob, sorted. Raises StorageError."""
        root = f"{self._store.bucket}/{self._store.prefix}".rstrip("/")
        with self._errors("list the object store"):
            found = self._store.filesystem.find(root)
        if not found:
            self._require_bucket()
        names = (str(path).rpartition("/")[2] for path in found)
        yield from sorted(name for name in names if SHA256.fullmatch(name))

    def is_under_way(self, sha256: str) -> bool:
        """True for an object so young that its upload may not have ended."""
        found = self._info(sha256)
        changed = found and found.get("LastModified")
        return isinstance(changed, datetime) and datetime.now(UTC) - changed < UNDER_WAY

    def state_of(self, sha256: str) -> BlobState:
        """Compare the stored bytes with their name; fetches them all. Raises StorageError."""
        return self._state_of(sha256)

    def _state_of(self, sha256: str, *, is_bucket_sure: bool = False) -> BlobState:
        with self._fetched(sha256, is_bucket_sure=is_bucket_sure) as copy:
            if copy is None:
                return BlobState.ABSENT
            return BlobState.WHOLE if sha256_of_file(copy) == sha256 else BlobState.CHANGED

    def whole(self, sha256: str, owner: str) -> Path:
        """Return a copy of the blob, after reading all of it: other bytes are never given out.

        Raises StorageError: blob_missing, blob_damaged, storage_unavailable.
        """
        self._tidy_from_now_on()
        path = self.path(sha256)
        with suppress(OSError):
            if sha256_of_file(path) == sha256:
                os.utime(path)
                return path
        with self._fetched(sha256) as copy:
            if copy is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                copy.replace(path)
        return super().whole(sha256, owner)

    def in_use(self, path: Path) -> None:
        """Keep a copy from being removed for a while: somebody reads it."""
        with suppress(OSError):
            if time.time() - path.stat().st_mtime >= IN_USE_S / 2:
                os.utime(path)

    def discard_stale(self, older_than_s: float) -> int:
        """Remove staged files that nobody has written to for that long; return how many."""
        self.tidy_copies()
        return super().discard_stale(older_than_s)

    def tidy_copies(self) -> None:
        """Remove copies that were not used for their time, and the oldest where room is short."""
        used: list[tuple[float, int, Path]] = []
        for path in self.root.glob("??/??/*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                used.append((found.st_mtime, found.st_size, path))
        room, now = self._limits.max_bytes, time.time()
        for used_at, size_bytes, path in sorted(used, reverse=True):
            room -= size_bytes
            age_s = now - used_at
            if age_s >= IN_USE_S and (room < 0 or age_s >= self._limits.keep_s):
                path.unlink(missing_ok=True)

    def _tidy_from_now_on(self) -> None:
        with self._state.lock:
            if self._state.tidier is None:
                self._state.tidier = threading.Thread(
                    target=self._keep_tidy, name="copies", daemon=True
                )
                self._state.tidier.start()

    def _keep_tidy(self) -> None:
        while True:
            time.sleep(TIDY_EVERY_S)
            with suppress(OSError):
                self.tidy_copies()

    @contextmanager
    def _fetched(self, sha256: str, *, is_bucket_sure: bool = False) -> Iterator[Path | None]:
        """Yield a private copy of the stored bytes, None where there are none."""
        copy = self.staging / f"{STAGED_PREFIX}{secrets.token_hex(16)}"
        self.staging.mkdir(parents=True, exist_ok=True)
        try:
            with self._errors(f"fetch blob {sha256}"):
                is_there = self._fetch(sha256, copy)
            if not (is_there or is_bucket_sure):
                self._require_bucket()
            yield copy if is_there else None
        finally:
            copy.unlink(missing_ok=True)

    def _fetch(self, sha256: str, copy: Path) -> bool:
        try:
            self._store.filesystem.get_file(self._name(sha256), str(copy))
        except FileNotFoundError:
            return False
        return True

    def _info(self, sha256: str) -> Mapping[str, Any] | None:
        with self._errors(f"ask for blob {sha256}"):
            try:
                found: Mapping[str, Any] = self._store.filesystem.info(
                    self._name(sha256), refresh=True
                )
            except FileNotFoundError:
                self._require_bucket()
                return None
        return found

    def _require_bucket(self) -> None:
        """Raise StorageError where no bucket is: then nothing is known of what is in it."""
        with self._errors("look for the bucket"), suppress(PermissionError):  # so there is one
            self._store.filesystem.call_s3("head_bucket", Bucket=self._store.bucket)

    def _require_no_versions(self, wait_s: float | None = None) -> None:
        """A bucket that keeps versions would keep what is deleted.

        `wait_s`: None: as long as the settings say.
        """
        if self._state.is_checked:
            return
        with self._errors("ask how the bucket keeps versions"):
            told = self._store.filesystem.call_s3(
                "get_bucket_versioning", Bucket=self._store.bucket, timeout=wait_s
            )
        if told.get("Status"):
            raise ConfigurationError(
                f"{self.place} keeps versions ({told['Status']}): what is deleted would stay there;"
                " take a bucket without",
                code="bucket_keeps_versions",
            )
        self._state.is_checked = True

    def _key(self, sha256: str) -> str:
        own = self.path(sha256).relative_to(self.root).as_posix()
        return f"{self._store.prefix}/{own}".lstrip("/")

    def _name(self, sha256: str) -> str:
        return f"{self._store.bucket}/{self._key(sha256)}"

    @contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:  # of an object its caller takes it
            raise StorageError(
                f"cannot {action}: there is no bucket {self._store.bucket!r}: it was deleted, or "
                "KB_BLOBS__URL names another one",
                code="storage_unavailable",
            ) from None
        except self._store.failures as error:
            # Without the cause: its traceback may hold what the message must not.
            raise StorageError(
                f"cannot {action}: the object store does not do it: {self._store.told(error)}",
                code="storage_unavailable",
            ) from None
