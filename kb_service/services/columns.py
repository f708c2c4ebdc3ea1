"""Columns of ledgers: what they stand for in a document, and what a person says instead.

Knows who may be asked; facts are found anew by the worker, as after a change of the rules.
"""

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.facts import COLUMN_FIELDS, ColumnField, TableMeaning
from kb_service.language.stated.reading import FactReader
from kb_service.storage.catalog import Catalog
from kb_service.storage.facts.columns import Columns

MAX_COLUMN_CHARS = 200


class ColumnService:
    """What the columns of a base's ledgers stand for."""

    def __init__(
        self, columns: Columns, catalog: Catalog, reader: FactReader | None = None
    ) -> None:
        self._columns, self._catalog = columns, catalog
        self._reader = reader or FactReader()

    def tables(self, kb_id: str, document_id: str) -> tuple[TableMeaning, ...]:
        """Return what the columns of a document's tables stand for.

        Raises NotFound (kb_not_found, document_not_found, revision_not_found), StorageError.
        """
        _, text = self._catalog.revisions.text(kb_id, document_id)
        return self._reader.columns_in(text, {said.name: said.field for said in self.listed(kb_id)})

    def listed(self, kb_id: str) -> tuple[ColumnField, ...]:
        """Return what people said that columns stand for, by name. Raises NotFound."""
        return self._columns.listed(kb_id)

    def put(self, kb_id: str, name: str, field: str | None, by: str) -> int:
        """Say what columns of a name stand for; None: what their names and values tell, again.

        Returns of how many documents the worker finds the facts anew. Raises NotFound,
        InvalidRequest (invalid_column).
        """
        if not name.strip() or len(name) > MAX_COLUMN_CHARS:
            raise InvalidRequest(
                f"the name of a column has {len(name)} characters; 1 to {MAX_COLUMN_CHARS} are"
                " accepted",
                code="invalid_column",
            )
        if field is not None and field not in COLUMN_FIELDS:
            raise InvalidRequest(
                f"field is {field[:100]!r}; {', '.join(COLUMN_FIELDS)} are accepted",
                code="invalid_column",
                details={"accepted": list(COLUMN_FIELDS)},
            )
        return self._columns.put(kb_id, name, field, by)
