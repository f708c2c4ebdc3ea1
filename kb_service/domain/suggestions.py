"""Questions that a base was found to answer. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question with its language, and the searchable revisions that its answer cites (ids)."""

    question: str
    language: str
    revision_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """A document of which something may be asked; `title`: "" where another one is called so."""

    document_id: str
    title: str
