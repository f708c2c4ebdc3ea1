"""Cuts what no end of a sentence cuts: at the strongest mark that it has, then at weaker ones.

Pure, on texts: the pieces together are the text, always. Knows no chunks, and no language's marks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

Weight = Callable[[str], int]


def pieces(text: str, marks: Sequence[str], weight: Weight, limit: int) -> list[str]:
    """Return the pieces, none heavier than `limit` while it holds more than one character.

    `marks`: strongest first. A piece ends with its mark; light neighbours are joined. Where no mark
    stands, text is cut anywhere.
    """
    rank, mark = next(((rank, mark) for rank, mark in enumerate(marks) if mark in text), (0, ""))
    if not mark:
        return list(_joined(text, weight, limit))
    found: list[str] = []
    light: list[str] = []
    for part in _after_each(text, mark):
        if weight(part) < limit:
            light.append(part)
            continue
        found += _joined(light, weight, limit)
        light.clear()
        found += pieces(part, marks[rank + 1 :], weight, limit)
    return [*found, *_joined(light, weight, limit)]


def _after_each(text: str, mark: str) -> list[str]:
    *ended, last = text.split(mark)
    return [*(part + mark for part in ended), *([last] if last else [])]


def _joined(parts: Iterable[str], weight: Weight, limit: int) -> Iterator[str]:
    """Join neighbours up to the limit; what weighs nothing, such as spaces, stays where it is."""
    group: list[str] = []
    total = 0
    for part in parts:
        added = weight(part)
        if group and total + added > limit:
            yield "".join(group)
            group, total = [], 0
        group.append(part)
        total += added
    if group:
        yield "".join(group)
