"""Ids, times and cursors of stored things. Pure; knows no table."""

import base64
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from kb_service.domain.errors import InvalidRequest

Item = TypeVar("Item")
Clock = Callable[[], datetime]
MAX_LISTING = 1000
MAX_NUMBER = 2**63 - 1
"""The largest integer of a column on either database."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A part of a list; `next_cursor` asks for what follows, None at the end."""

    items: tuple[Item, ...]
    next_cursor: str | None


def new_id(prefix: str) -> str:
    """Return a random, URL-safe id such as `doc_k3…`."""
    return f"{prefix}_{secrets.token_hex(12)}"


def utc_now() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(UTC)


def encode_cursor(*keys: str) -> str:
    """Return an opaque cursor that stands after the item with these sort keys."""
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, num_keys: int) -> Sequence[str]:
    """Return the sort keys; InvalidRequest (invalid_cursor) for anything not made here."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        keys = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError) as error:
        raise _invalid(cursor) from error
    is_valid = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    if not is_valid or len(keys) != num_keys:
        raise _invalid(cursor)
    return [str(key) for key in keys]


def decode_number(cursor: str) -> int:
    """Return the number of a cursor; InvalidRequest (invalid_cursor) for anything else."""
    (key,) = decode_cursor(cursor, 1)
    return _number(key, cursor)


def decode_sized_cursor(cursor: str) -> tuple[int, str]:
    """Return the number and name of a cursor; InvalidRequest (invalid_cursor) for anything else."""
    key, name = decode_cursor(cursor, 2)
    return _number(key, cursor), name


def decode_time_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the time and id of a cursor; InvalidRequest (invalid_cursor) for anything else."""
    written_at, key = decode_cursor(cursor, 2)
    try:
        time = datetime.fromisoformat(written_at)
    except ValueError as error:
        raise _invalid(cursor) from error
    if time.tzinfo is None:
        raise _invalid(cursor)
    return time, key


def check_limit(limit: int) -> int:
    """Return the limit; InvalidRequest unless 1 <= limit <= MAX_LISTING."""
    if not 1 <= limit <= MAX_LISTING:
        raise InvalidRequest(
            f"limit is {limit}; 1 to {MAX_LISTING} are accepted",
            code="limit_out_of_range",
            details={"value": limit, "min": 1, "max": MAX_LISTING},
        )
    return limit


def _number(key: str, cursor: str) -> int:
    if not (key.isascii() and key.isdecimal()) or len(key) > len(str(MAX_NUMBER)):
        raise _invalid(cursor)
    if (number := int(key)) > MAX_NUMBER:
        raise _invalid(cursor)
    return number


def _invalid(cursor: str) -> InvalidRequest:
    return InvalidRequest(
        f"cursor {cursor[:100]!r} is not one this service gave out", code="invalid_cursor"
    )
