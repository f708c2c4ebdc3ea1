"""What stands in Word for a sign, a box or a choice and is no text there: as text.

Knows the elements; knows nothing of where they stand.
"""

from typing import TYPE_CHECKING

from ingest.office_package import local
from ingest.word_xml import W, child, is_on, value

if TYPE_CHECKING:
    from lxml.etree import _Element

CHECKED, UNCHECKED = "\u2611", "\u2610"
_SYMBOLS = dict(
    zip(
        "\xa3\xb0\xb1\xb2\xb3\xb4\xb8\xb9\xbb\xd7\xae\xac\xb7\xe5\xd6\xa5\xce\xcf\xc7\xc8"
        "abgdezhqiklmnxoprstufcywABGDEZHQIKLMNXOPRSTUFCYW",
        "≤°±″≥×÷≠≈⋅→←•∑√∞∈∉∩∪αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        strict=True,
    )
)
"""Codes of the font Symbol and what they show."""
_CAPTIONS = ("tblCaption", "tblDescription")


def symbol(node: "_Element") -> str:
    """Return the character of a font that a `sym` shows, a bullet for one without meaning."""
    code = node.get(f"{W}char", "")
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    if not 0xF000 <= number <= 0xF0FF:
        return chr(number) if 0 < number < 0xD800 else ""
    letter = chr(number - 0xF000)
    return _SYMBOLS.get(letter, letter) if node.get(f"{W}font") == "Symbol" else "•"


def form_value(node: "_Element") -> str:
    """Return what a field of an old form (`ffData`) shows by itself: a box, or what was chosen.

    What was typed into one stands in the text behind it.
    """
    box, choice = child(node, "checkBox"), child(node, "ddList")
    if box is not None:
        state = child(box, "checked")
        is_checked = is_on(state) if state is not None else is_on(child(box, "default"))
        return CHECKED if is_checked else UNCHECKED
    if choice is None:
        return ""
    entries = [value(entry) for entry in choice if local(entry) == "listEntry"]
    chosen = value(child(choice, "result")) or value(child(choice, "default")) or "0"
    place = int(chosen) if chosen.isdecimal() else 0
    return entries[place] if place < len(entries) else ""


def drawn_words(node: "_Element") -> str:
    """Return the words of an old drawing: those along a path (`textpath`), or its description."""
    return str(node.get("string" if local(node) == "textpath" else "alt", ""))


def table_captions(table: "_Element") -> list[str]:
    """Return the title and the description that a table has among its properties."""
    properties = child(table, "tblPr")
    return [words for name in _CAPTIONS if (words := value(child(properties, name)).strip())]
