"""Labels of a base: managed by who manages it, put on documents by who may write.

Knows the limits of a label; what carries it is storage's.
"""

from collections.abc import Iterable, Sequence

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.labels import Label, LabelColour, LabelMark, LabelMarks, folded
from kb_service.domain.names import CONTROLS
from kb_service.domain.people import Principal, Right
from kb_service.storage.catalog import Catalog

MAX_LABELS = 200
"""Of one base: a page shows them all, and nobody finds their way among more."""
MAX_LABEL_CHARS = 50
MAX_LABEL_DESCRIPTION_CHARS = 500
MAX_DOCUMENTS_AT_ONCE = 1000


class LabelService:
    """Every method raises StorageError, and NotFound for a base or label that is not there."""

    def __init__(self, catalog: Catalog) -> None:
        self._labels = catalog.labels

    def listed(self, kb_id: str) -> list[Label]:
        """Return the labels of a base by name, with how many documents carry each."""
        return self._labels.listed(kb_id)

    def marks(self, kb_id: str) -> LabelMarks:
        """Return the labels of a base without what carries them."""
        return self._labels.marks(kb_id)

    def find(self, kb_id: str, key: str) -> Label:
        """Return the label of that id or name."""
        return self._labels.find(kb_id, key)

    def create(
        self,
        kb_id: str,
        name: str,
        colour: LabelColour = LabelColour.GREY,
        description: str = "",
    ) -> Label:
        """Make a label. Raises Conflict (label_name_taken), InvalidRequest (invalid_label)."""
        _check(name, description)
        _check_room(self._labels.marks(kb_id), 1)
        return self._labels.create(kb_id, name.strip(), colour, description)

    def change(
        self,
        kb_id: str,
        key: str,
        name: str | None,
        colour: LabelColour | None,
        description: str | None,
    ) -> Label:
        """Change what is not None, for every document that carries the label.

        Raises Conflict (label_name_taken), InvalidRequest (invalid_label).
        """
        _check(name, description)
        return self._labels.change(kb_id, key, name and name.strip(), colour, description)

    def delete(self, kb_id: str, key: str) -> Label:
        """Delete a label, which no document carries any more."""
        return self._labels.delete(kb_id, key)

    def ids_of(self, kb_id: str, names: Iterable[str], who: Principal) -> list[str]:
        """Return the ids of labels by id or name, each once.

        One that is not there is made where this one may manage the base. Raises NotFound
        (label_not_found) otherwise, InvalidRequest (invalid_label, too_many_labels); then none is
        made.
        """
        wanted = _distinct(names)
        return self._ids_of(kb_id, wanted, who, self._labels.marks(kb_id)) if wanted else []

    def put(
        self,
        kb_id: str,
        document_ids: Sequence[str],
        add: Sequence[str],
        remove: Sequence[str],
        who: Principal,
    ) -> int:
        """Give documents labels and take others away; return how many documents that concerns.

        What came out of a document goes with it. Labels are found as by `ids_of`. Raises NotFound
        for a document that is not there, and changes none then; InvalidRequest (invalid_label).
        """
        ids = list(dict.fromkeys(document_ids))
        if len(ids) > MAX_DOCUMENTS_AT_ONCE:
            raise InvalidRequest(
                f"{len(ids)} documents; at most {MAX_DOCUMENTS_AT_ONCE} are accepted at once",
                code="invalid_label",
            )
        wanted, unwanted = _distinct(add), _distinct(remove)
        marks = self._labels.marks(kb_id)
        gone = [marks.require(name).id for name in unwanted]
        given = self._ids_of(kb_id, wanted, who, marks)
        return self._labels.put(kb_id, ids, given, [one for one in gone if one not in given])

    def _ids_of(
        self, kb_id: str, names: Sequence[str], who: Principal, marks: LabelMarks
    ) -> list[str]:
        new: dict[str, str] = {}
        for name in names:
            if marks.get(name) is None:
                new.setdefault(folded(name), name)
        right = who.rights.in_base(kb_id)
        if new and not (right is not None and right.includes(Right.MANAGE)):
            marks.require(next(iter(new.values())))
        for name in new.values():
            _check(name, None)
        _check_room(marks, len(new))
        for name in new.values():
            made = self._labels.create(kb_id, name, LabelColour.GREY, "")
            marks.add(LabelMark(made.id, made.name, made.colour))
        return list(dict.fromkeys(marks.require(name).id for name in names))


def _distinct(names: Iterable[str]) -> list[str]:
    distinct = list(dict.fromkeys(name.strip() for name in names))
    if len(distinct) > MAX_LABELS:
        raise InvalidRequest(
            f"{len(distinct)} labels are named; at most {MAX_LABELS} are accepted at once",
            code="invalid_label",
            details={"max": MAX_LABELS},
        )
    return distinct


def _check_room(marks: LabelMarks, num_new: int) -> None:
    if num_new and len(marks) + num_new > MAX_LABELS:
        raise InvalidRequest(
            f"the base has {len(marks)} labels; {MAX_LABELS} are the most", code="too_many_labels"
        )


def _check(name: str | None, description: str | None) -> None:
    if name is not None:
        is_plain = CONTROLS.isdisjoint(name)
        if not (is_plain and 1 <= len(name.strip()) <= MAX_LABEL_CHARS):
            raise InvalidRequest(
                f"the label is called {name[:100]!r}; 1 to {MAX_LABEL_CHARS} characters without"
                " control characters are accepted",
                code="invalid_label",
            )
    if description is not None and len(description) > MAX_LABEL_DESCRIPTION_CHARS:
        raise InvalidRequest(
            f"the description has {len(description)} characters;"
            f" at most {MAX_LABEL_DESCRIPTION_CHARS} are accepted",
            code="invalid_label",
        )
