"""Which numbers are not made of a base for who may not see its personal data. Pure."""

from collections.abc import Callable
from typing import Any

from kb_service.domain.errors import RightMissing
from kb_service.domain.record_queries import AGGREGATES, Operation

_MEASURES = frozenset({*map(str, AGGREGATES), str(Operation.TOP)})


def check_measured(value: Any, is_hidden: Callable[[str], bool]) -> None:  # noqa: ANN401  JSON
    """Raise RightMissing (personal_data_masked) for a query that makes a number of a hidden field.

    The sum of one is the number itself. `is_hidden`: of the name of a field.
    """
    if not isinstance(value, dict):
        return
    name = value.get("field")
    makes = _MEASURES.intersection(map(str, (value.get("op"), value.get("measure"))))
    if makes and isinstance(name, str) and is_hidden(name):
        raise RightMissing(
            f"{', '.join(sorted(makes))} of {name} would tell personal data that is masked",
            code="personal_data_masked",
            details={"field": name},
        )
    check_measured(value.get("query"), is_hidden)
