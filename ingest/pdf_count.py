"""The letters that the pages of a PDF draw, counted from the list of their characters.

Knows what lies on the visible page; nothing of lines, order, layout or what is stored.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection

from ingest.pdf_characters import Characters
from ingest.pdf_glyphs import Sheet


class DrawnLetters:
    """Letters and digits by page, as the loader that reads the pages hands them over."""

    def __init__(self) -> None:
        self._pages: dict[int, Counter[str]] = {}

    def add(self, page_number: int, characters: Characters, sheet: Sheet) -> None:
        """Count the characters of a page that lie on its visible part, all or in part."""
        left, bottom, right, top = characters.around
        if left >= 0 and bottom >= 0 and right <= sheet.width and top <= sheet.height:
            self._pages[page_number] = letters_of(characters.text)
            return
        shown = [
            character
            for character, (left, bottom, right, top) in zip(
                characters.text, characters.boxes, strict=True
            )
            if left < sheet.width and bottom < sheet.height and right > 0 and top > 0
        ]
        self._pages[page_number] = letters_of(shown)

    def missing(self, text: str, unread: Collection[int] = ()) -> tuple[Counter[str], int]:
        """Return the letters that are not in a text, and how many were counted.

        `unread`: numbers of pages whose text layer was not taken.
        """
        found: Counter[str] = Counter()
        for number, letters in self._pages.items():
            if number not in unread:
                found.update(letters)
        return found - letters_of(text), found.total()


def letters_of(characters: Collection[str]) -> Counter[str]:
    """Count letters and digits, each by itself: the order of characters is layout."""
    found: Counter[str] = Counter()
    for character, number in Counter(characters).items():
        for letter in unicodedata.normalize("NFKC", character).casefold():
            if letter.isalnum():
                found[letter] += number
    return found
