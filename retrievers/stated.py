"""Which documents state a name whole in their words, as far as an index of terms can tell.

Knows the port of an index. Reads no text.
"""

from collections.abc import Collection

from kb_service.language.text import is_one_term, needed_terms
from retrievers.index import Index


def look_up(
    index: Index, names: Collection[str], documents: Collection[str]
) -> tuple[dict[str, set[str]], list[tuple[str, int]]]:
    """Return by name the documents that state it surely, and chunks that may state one."""
    stated: dict[str, set[str]] = {}
    possible: list[tuple[str, int]] = []
    for name in names:
        surely = index.chunks_with_all([name], documents) if is_one_term(name) else {}
        stated[name] = set(surely)
        needed = needed_terms(name)
        if len(needed) > 1:
            maybe = index.chunks_with_all(needed, set(documents) - surely.keys())
            possible += [(name, chunk_id) for ids in maybe.values() for chunk_id in ids]
    return stated, possible
