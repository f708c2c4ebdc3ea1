"""Which text can be stored, on either database: the one rule, also for what is only asked."""

from kb_service.domain.errors import InvalidRequest


def check_storable(value: str) -> str:
    """Return the text; InvalidRequest (unstorable_text) for U+0000 and lone surrogates."""
    position = value.find("\x00")
    if position >= 0:
        raise InvalidRequest(
            f"text has U+0000 at position {position}; it cannot be stored", code="unstorable_text"
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            f"text has a lone surrogate at position {error.start}; it cannot be stored",
            code="unstorable_text",
        ) from error
    return value
