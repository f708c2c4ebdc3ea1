"""What a caller asks who may not see personal data: words that are hidden from it find nothing.

Knows the routes that search, and their parameters. What is personal is the service's.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from api.veiling import base_of_request, is_by_name, masked_error, veiling_of
from kb_service.operations import Services

_SEARCHING = frozenset(
    {
        *("/kb/{kb}/ask", "/kb/{kb}/search", "/kb/{kb}/query", "/kb/{kb}/query/report"),
        *("/kb/{kb}/watches", "/v1/chat/completions"),
    }
)
_CURSOR, _CONTAINS, _NAME_CONTAINS = "cursor", "contains", "name_contains"
_NAMES = frozenset({"name", "tag", "label"})
Json = Any


def hidden_in(request: Request, body: Json) -> Json:
    """Return the body of a request as it may be searched for.

    Raises RightMissing (personal_data_masked), StorageError. May block.
    """
    veiling = veiling_of(request.scope)
    if veiling is None or _route_of(request) not in _SEARCHING:
        return body
    services: Services = request.app.state.services
    kb_id = base_of_request(request.scope, services, body)
    shown = veiling.asked(body, kb_id) if kb_id and veiling.is_masked(kb_id) else body
    if isinstance(shown, dict) and isinstance(cursor := shown.get(_CURSOR), str):
        shown[_CURSOR] = services.masking.unseal(cursor)
    return shown


def hide_in_query(request: Request) -> None:
    """Put what may be searched for in the place of the words of a query string.

    Raises RightMissing (personal_data_masked): which talks or names hold a word would tell the
    words; InvalidRequest (invalid_cursor) for one that is made up. May block.
    """
    veiling = veiling_of(request.scope)
    given = request.scope["query_string"]
    if veiling is None or not given:
        return
    services: Services = request.app.state.services
    pairs = parse_qsl(given.decode("latin-1"), keep_blank_values=True)
    if any(name == _CONTAINS for name, _ in pairs):
        raise masked_error("which conversations hold a word")
    kb_id = base_of_request(request.scope, services)
    if veiling.is_masked(kb_id) and any(name == _NAME_CONTAINS and words for name, words in pairs):
        raise masked_error("which names hold a word")
    is_named = is_by_name(request.scope, veiling, kb_id)
    change: Mapping[str, Callable[[str], str]] = {
        _CURSOR: services.masking.unsealed if is_named else services.masking.unseal,
        **{name: lambda words: str(veiling.shown(words, kb_id)) for name in _NAMES},
    }
    asked = [(name, change[name](words) if name in change else words) for name, words in pairs]
    if asked != pairs:
        request.scope["query_string"] = urlencode(asked).encode()


def _route_of(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "path", ""))
