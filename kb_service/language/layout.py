"""How a page is set out: list marks, headings, form fields, page numbers, ends of lines.

Pure functions on single lines as they are written. Knows no geometry and no file format; whether
two lines belong together is decided where their places are known.
"""

import re
from functools import partial

from kb_service.language.lexicon import CJK, Lexicon, shipped_lexicon
from kb_service.language.regexes import regex

MAX_HEADING_CHARS = 40
"""A longer line that begins like a heading is prose."""

_BULLETS = "•·●▪◦*–—-"
_DASHED_NUMBER = r"- ?\d+ ?-"


class Layout:
    """The ways in which a lexicon sets out a page."""

    def __init__(self, lexicon: Lexicon) -> None:
        layout = partial(lexicon.patterns, "layout")
        self._levels = lexicon.numbered("layout", "section_levels")
        self._item_mark, self._item = _items(lexicon, layout("numbered_lines"))
        self._sections = tuple(map(regex, layout("sections")))
        self._small_section = regex(_any(layout("small_sections")))
        self._field = regex(_any(layout("fields")))
        self._page_number = regex(_any([*layout("page_numbers"), _DASHED_NUMBER]), re.IGNORECASE)
        ends = f"{re.escape(lexicon.characters('layout', 'line_ends'))}!?.;:"
        closing = re.escape(lexicon.characters("sentences", "closing"))
        pauses = re.escape(lexicon.characters("layout", "line_pauses"))
        self._final = regex(f"[{ends}]['\"{closing})]*$")
        self._final_or_pause = regex(f"[{ends},{pauses}]$")
        page_ends = re.escape(lexicon.characters("layout", "page_ends"))
        self._open_end = regex(rf"[^{ends}{page_ends}\")\]]$")
        goes_on = re.escape(lexicon.characters("sentences", "goes_on"))
        self._goes_on = regex(f"[a-z{CJK}{goes_on}]")

    def is_item_mark(self, text: str) -> bool:
        """True for the mark of a list item alone: a bullet, "2.", "(3)"."""
        return bool(self._item_mark.fullmatch(text))

    def begins_item(self, line: str) -> bool:
        """True when a line begins with a bullet or a number of a list."""
        return bool(self._item.match(line))

    def begins_field(self, line: str) -> bool:
        """True when a line of a form begins with a label."""
        return bool(self._field.match(line))

    def begins_section(self, line: str) -> bool:
        """True when a line begins as the heading of a numbered section does."""
        marks = (*self._sections, self._small_section)
        return any((mark := m.match(line)) and line[mark.end() :].strip() for m in marks)

    def is_section_mark(self, line: str) -> bool:
        """True for the heading of a numbered section: a short line that ends no sentence."""
        short = len(line) <= MAX_HEADING_CHARS
        return short and self.begins_section(line) and not self.ends_line(line)

    def section_level(self, line: str) -> int:
        """Return the level of such a heading in running text, where only a space sets it off."""
        if len(line) > MAX_HEADING_CHARS or self._final_or_pause.search(line.strip()):
            return 0
        for match in (match for section in self._sections if (match := section.match(line))):
            if line[match.end() : match.end() + 1].isspace():
                return self._levels[match["level"]]
        return 1 + max(self._levels.values()) if self._small_section.match(line) else 0

    def ends_line(self, line: str) -> bool:
        """True when a line ends with a mark that ends a sentence or announces the next one."""
        return bool(self._final.search(line))

    def runs_on(self, before: str, after: str) -> bool:
        """True when a text breaks off inside a sentence that the next one goes on with."""
        return bool(self._open_end.search(before) and self._goes_on.match(after))

    def is_page_number(self, line: str) -> bool:
        """True for a line that only counts pages."""
        return bool(self._page_number.fullmatch(line))


def _items(lexicon: Lexicon, numbered_lines: list[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the pattern of a list mark alone, and of a line that begins with one."""
    marks, opens, numerals = (
        re.escape(lexicon.characters("sentences", key))
        for key in ("list_marks", "list_opens", "list_numerals")
    )
    spelt = [rf"[({opens}]?[{numerals}]{{1,3}}[){marks}]"] if numerals else []
    alone = [f"[{_BULLETS}]", rf"[({opens}]?[\d.]{{1,8}}[.){marks}]?", *spelt]
    first = [rf"[{_BULLETS}]\s", rf"\(?\d{{1,3}}(?:\.(?!\d)|[){marks}])", *spelt, *numbered_lines]
    return regex("|".join(alone)), regex("|".join(first))


def _any(patterns: list[str]) -> str:
    return "|".join(patterns) or "(?!)"


LAYOUT = Layout(shipped_lexicon())
