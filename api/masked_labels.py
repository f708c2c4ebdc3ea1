"""Labels as a caller names them who may not see personal data: by id, or as they are shown to it.

Pure. What is personal is the service's.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from api.veiling import masked_error
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.labels import LabelMark, folded


def masked_keys(
    sent: Sequence[str],
    hide: Callable[[Any], Any],
    known: Sequence[LabelMark],
    own: Sequence[LabelMark],
) -> list[str]:
    """Return by what labels are found that were named; `hide` masks strings in JSON.

    What is shown as the name of one label is that label, of `own` before others: as many of those
    that look alike as were sent. Raises RightMissing (personal_data_masked) for other words that
    are hidden: whether they are found would tell them. InvalidRequest (invalid_label) where several
    look so.
    """
    shown, ids = hide([mark.name for mark in known]), {mark.id for mark in known}
    looks: dict[str, list[str]] = {}
    for mark, name in zip(known, shown, strict=True):
        looks.setdefault(folded(name), []).append(mark.id)
    mine = {mark.id for mark in own}
    left = {look: iter([one for one in alike if one in mine]) for look, alike in looks.items()}
    return [
        words if words in ids else _key(words, words != hidden, looks, left)
        for words, hidden in zip(sent, hide(list(sent)), strict=True)
    ]


def _key(
    words: str,
    is_hidden: bool,
    looks: dict[str, list[str]],
    left: dict[str, Iterator[str]],
) -> str:
    if is_hidden:
        raise masked_error("whether a label is called so")
    look = folded(words.strip())
    if look not in looks:
        return words
    if carried := next(left[look], None):
        return carried
    if len(looks[look]) > 1:
        raise InvalidRequest(
            f"{len(looks[look])} labels are shown as {words[:100]!r}; name one by its id",
            code="invalid_label",
        )
    return looks[look][0]
