"""Whether an index folder still holds anything of a document, also of one that it never returns.

A removed chunk leaves its terms in a segment until that is written anew: the document's own term
tells. Changes nothing: a folder that belongs to others is opened through links to its files.
"""

import tempfile
from collections.abc import Collection
from pathlib import Path

import tantivy

from retrievers.live import LEXICAL_FOLDER
from retrievers.owners import documents_listed


def holds_any(folder: Path, document_ids: Collection[str]) -> bool:
    """True when a snapshot or working copy has terms or vectors of one of the documents.

    Raises OSError, ValueError for a folder that cannot be read, or goes meanwhile.
    """
    # A working copy has its list in memory.
    is_listed = not documents_listed(folder).isdisjoint(document_ids)
    return is_listed or _has_terms_of_any(folder / LEXICAL_FOLDER, document_ids)


def _has_terms_of_any(lexical: Path, document_ids: Collection[str]) -> bool:
    if not (lexical / "meta.json").exists():
        return False
    with tempfile.TemporaryDirectory(prefix="kb-look-") as place:
        for path in lexical.iterdir():
            if path.suffix != ".lock":
                (Path(place) / path.name).symlink_to(path.resolve())
        searcher = tantivy.Index.open(place).searcher()
        return any(searcher.doc_freq("document_id", name) for name in document_ids)
