"""What the `role` of a time says: whose time it is, and by what its year is known. Values only.

A role is no mark, one, or several, each a word of its own: "happened, year of arrival".
"""

from kb_service.domain.facts import BY_REPORT, HAPPENED

OF_ARRIVAL = "year of arrival"
"""Mark of a time of which the text names no year: it is that in which the text came to the base."""

_APART = ", "


def marks_of(role: str) -> frozenset[str]:
    """Return the marks of a role."""
    return frozenset(filter(None, role.split(_APART)))


def with_mark(role: str, mark: str) -> str:
    """Return a role with one mark more, in the one order in which roles are written."""
    return _APART.join(sorted({*marks_of(role), mark}))


def without_mark(role: str, mark: str) -> str:
    """Return a role without a mark; one that has it not as it was: it may be no time's."""
    return role if mark not in marks_of(role) else _APART.join(sorted(marks_of(role) - {mark}))


IN_PLACE = tuple(
    role for mark in (BY_REPORT, HAPPENED) for role in (mark, with_mark(mark, OF_ARRIVAL))
)
"""Roles of the time of a report that stands for that of what happened."""

TIME_ROLES = ("", OF_ARRIVAL, *IN_PLACE)
"""All roles of times."""

ROLES_OF_ARRIVAL = frozenset(role for role in TIME_ROLES if OF_ARRIVAL in marks_of(role))
"""Those of times of which the text names no year."""
