"""What an archive of a base holds. Values only; writing and reading one is storage's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive that was written or read: the base in it, by name, and how much of it."""

    kb_id: str
    name: str
    num_documents: int
    num_files: int
    size_bytes: int
