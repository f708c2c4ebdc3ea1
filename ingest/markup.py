"""Taking mark-up out of a text in one pass: the cost is that of its length, whatever is not closed.

Knows tags, and what lies between an opening and its end; knows no format.
"""

import re
from collections.abc import Callable
from functools import cache

_TAG = re.compile(r"<[^>]*>")
_REMARK = re.compile(r"<!--|<\?|<!\[CDATA\[|\]\]>|<!DOCTYPE[^<>\[]*>", re.IGNORECASE)
_REMARK_ENDS = {"<!--": re.compile("-->"), "<?": re.compile(r"\?>")}
_NOTHING = re.compile("")
_UNSEEN = re.compile(r"<(head|script|style|template|noscript|iframe|title)\b[^>]*>", re.IGNORECASE)
"""Elements of a web page whose text is not of the page."""

End = Callable[[re.Match[str]], re.Pattern[str] | None]


def without_tags(text: str, between: str = "") -> str:
    """Return the text between tags; what a last `<` opens and nothing closes is text."""
    return on_tags(text, lambda tags: _TAG.sub(between, tags))


def on_tags(text: str, change: Callable[[str], str]) -> str:
    """Return the text with its front changed, up to the last end of a tag.

    Behind it a pattern of tags would look for an end from each beginning anew, and find none.
    """
    end = text.rfind(">") + 1
    return change(text[:end]) + text[end:]


def without_remarks(text: str) -> str:
    """Return a text without comments and instructions, and with what CDATA sections hold."""
    return without(text, _REMARK, lambda found: _REMARK_ENDS.get(found.group(), _NOTHING))


def without_unseen(text: str) -> str:
    """Return a web page without the elements that hold no text of it."""
    return on_tags(
        text, lambda tags: without(tags, _UNSEEN, lambda found: end_named(found.group(1).lower()))
    )


@cache
def end_named(name: str) -> re.Pattern[str]:
    """Return the pattern of the end of an element, of any prefix. Not for names out of a file."""
    return re.compile(rf"</(?:\w+:)?{name}\s*>", re.IGNORECASE)


def without(text: str, opening: re.Pattern[str], end_of: End, if_holds: str = "") -> str:
    """Return the text without what lies from an opening to its end; what does not end stays.

    `end_of`: the pattern of an opening's end, None for an opening that is none. `if_holds`: what
    must stand in it for it to go. An end that was not found once is not looked for again.
    """
    pieces: list[str] = []
    kept = place = 0
    missing: set[re.Pattern[str]] = set()
    while found := opening.search(text, place):
        place = found.end()
        end = end_of(found)
        if end is None or end in missing:
            continue
        closing = end.search(text, place)
        if closing is None:
            missing.add(end)
        elif if_holds and text.find(if_holds, place, closing.start()) < 0:
            place = closing.start()  # nor does what begins within
        else:
            pieces.append(text[kept : found.start()])
            kept = place = closing.end()
    return "".join((*pieces, text[kept:]))
