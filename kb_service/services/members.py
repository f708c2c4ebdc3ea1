"""What comes out of a container: which of its files become documents, and why others do not.

Knows names, kinds, depth and totals. Unpacking is the loader's; documents are made in the
transaction that makes the container searchable.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError, KbError
from kb_service.domain.members import (
    MAX_BYTES_WITHIN,
    MAX_DEPTH,
    MAX_WITHIN,
    Loss,
    Member,
    member_name,
)
from kb_service.domain.ports import HEAD_BYTES, MediaTypeDetector
from kb_service.domain.sync import is_clutter, is_hidden_folder
from kb_service.storage.blobs import BlobStore
from kb_service.storage.documents.members import StagedMember
from kb_service.storage.documents.within import Family


@dataclass(frozen=True, slots=True)
class Room:
    """What one outermost container may hold."""

    max_depth: int = MAX_DEPTH
    max_documents: int = MAX_WITHIN
    max_bytes: int = MAX_BYTES_WITHIN


class MemberIntake:
    """Stages the files of a container. `family`: where a document stands among containers."""

    def __init__(
        self,
        family: Callable[[str], Family],
        blobs: BlobStore,
        detect: MediaTypeDetector,
        max_file_bytes: int,
        room: Room | None = None,
    ) -> None:
        self._family = family
        self._blobs = blobs
        self._detect = detect
        self._max_file_bytes = max_file_bytes
        self._room = room or Room()

    def stage(
        self, document_id: str, name: str, parsed: ParsedDocument
    ) -> tuple[tuple[StagedMember, ...], tuple[Loss, ...]]:
        """Copy the files to where they can be kept; return them, and those that cannot be read.

        The caller discards what it does not publish. Raises StorageError.
        """
        members = [member for member in parsed.members if not _is_left_by_programs(member.path)]
        if not members:
            return (), ()
        family = self._family(document_id)
        if family.depth >= self._room.max_depth:
            return (), tuple(self._too_deep(member) for member in members)
        staged: list[StagedMember] = []
        losses: list[Loss] = []
        size = family.size_bytes
        with self._discarding(staged):
            for member in members:
                size += member.file.stat().st_size
                try:
                    self._check_room(family.num_documents + len(staged), size)
                    staged.append(self._staged(name, member))
                except DocumentError as error:
                    losses.append(Loss(member.path, error.code, None, error.message))
        return tuple(staged), tuple(losses)

    def discard(self, staged: tuple[StagedMember, ...]) -> None:
        """Remove what was staged and not published."""
        for member in staged:
            self._blobs.discard(member.staged)

    @contextmanager
    def _discarding(self, staged: list[StagedMember]) -> Iterator[None]:
        try:
            yield
        except (KbError, OSError):
            self.discard(tuple(staged))
            raise

    def _staged(self, container_name: str, member: Member) -> StagedMember:
        name = member_name(container_name, member.path)
        with member.file.open("rb") as file:
            media_type = self._detect(name, file.read(HEAD_BYTES))
            file.seek(0)
            return StagedMember(
                member.path, self._blobs.stage(file, self._max_file_bytes), media_type
            )

    def _check_room(self, num_documents: int, size_bytes: int) -> None:
        if num_documents >= self._room.max_documents:
            text = f"at most {self._room.max_documents} files of one container are read"
            raise DocumentError(text, code="too_many_members")
        if size_bytes > self._room.max_bytes:
            text = f"at most {self._room.max_bytes} bytes of one container's files are read"
            raise DocumentError(text, code="document_too_large")

    def _too_deep(self, member: Member) -> Loss:
        reason = f"containers in containers are read {self._room.max_depth} deep"
        return Loss(member.path, "too_deep", None, reason)


def _is_left_by_programs(path: str) -> bool:
    *folders, name = PurePosixPath(path).parts
    return name.startswith(".") or is_clutter(name) or any(map(is_hidden_folder, folders))
