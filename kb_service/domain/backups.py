"""What a backup holds. Values only; taking and restoring one is storage's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `lacking`: files that the store itself has lost, in words."""

    num_blobs: int
    size_bytes: int
    lacking: tuple[str, ...] = ()
