"""The data files of the languages, read once and put together.

Knows the form of a file: tables of words, numbers and patterns. Knows no concept: which table means
what is the business of the module that asks for it.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
"""Character class body: Han ideographs."""

BULLETS = "\u2022\xb7\u25aa\u25cf\u25cb\u25a0\u25c6\u25e6"
"""Signs before the items of a list, for the inside of a pattern's brackets; - and * beside."""

CJK = f"{HAN}\u3040-\u30ff\uac00-\ud7af"
"""Character class body: Han ideographs, kana and hangul, the scripts written without spaces."""

WIDE = f"{CJK}\u3000-\u303f\uff00-\uffef"
"""Character class body: these scripts with their marks and full-width forms."""

Tables = Mapping[str, Mapping[str, Any]]


class Lexicon:
    """Several languages as one: what all of them know, in the order in which they are given."""

    def __init__(self, languages: Sequence[Tables]) -> None:
        self._languages = tuple(languages)

    def listed(self, table: str, key: str) -> list[str]:
        """Return the entries of a list, those of every language."""
        return [entry for tables in self._languages for entry in tables.get(table, {}).get(key, ())]

    def days(self, table: str, key: str) -> list[date]:
        """Return the days of a list, those of every language."""
        return [day for tables in self._languages for day in tables.get(table, {}).get(key, ())]

    def numbered(self, table: str, key: str) -> dict[str, int]:
        """Return the words of a table with their numbers, those of every language."""
        return self._entries(table, key)

    def paired(self, table: str, key: str) -> dict[str, str]:
        """Return the words of a table with what belongs to each, those of every language."""
        return self._entries(table, key)

    def ranges(self, table: str, key: str) -> dict[str, list[Any]]:
        """Return the words of a table with the values of each, those of every language."""
        return self._entries(table, key)

    def characters(self, table: str, key: str) -> str:
        """Return a string of characters, those of every language."""
        return "".join(tables.get(table, {}).get(key, "") for tables in self._languages)

    def _entries(self, table: str, key: str) -> dict[str, Any]:
        return {
            word: value
            for tables in self._languages
            for word, value in tables.get(table, {}).get(key, {}).items()
        }

    def patterns(self, table: str, key: str) -> list[str]:
        """Return the patterns of a list with their placeholders filled."""
        return [
            _filled(entry, tables, tables[table])
            for tables in self._languages
            for entry in tables.get(table, {}).get(key, ())
        ]


def any_of(words: Iterable[str]) -> str:
    """Return a pattern that matches each of the words, the longest first; never for none."""
    escaped = (re.escape(word) for word in sorted(words, key=len, reverse=True))
    return "|".join(escaped) or "(?!)"


def read_language(content: str) -> Tables:
    """Return the tables of a data file."""
    return tomllib.loads(content)


@cache
def shipped_languages() -> Mapping[str, Tables]:
    """Return the tables of the data folder by language code, in their order from behind."""
    folder = files("kb_service.language") / "data"
    found = sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=str)
    return {
        item.name.removesuffix(".toml"): read_language(item.read_text(encoding="utf-8"))
        for item in reversed(found)
    }


@cache
def shipped_lexicon() -> Lexicon:
    """Return the languages of the data folder as one."""
    return Lexicon(list(shipped_languages().values()))


_PLACE = re.compile(r"(?<!\(\?P)<(\w+)>")
"""A name to be filled in; `(?P<numeral>` names a group instead."""


def _filled(pattern: str, tables: Tables, table: Mapping[str, Any]) -> str:
    """Fill in what every table may name, and the texts and words of the pattern's own table."""

    def text_of(place: re.Match[str]) -> str:
        own = table.get(place[1])
        if isinstance(own, str):  # which may name others
            return _PLACE.sub(text_of, own)
        if isinstance(own, dict):
            return any_of(own)
        return _SHARED[place[1]](tables) if place[1] in _SHARED else place[0]

    return _PLACE.sub(text_of, pattern)


def _any_in(table: str, *keys: str) -> Callable[[Tables], str]:
    return lambda tables: any_of(
        word for key in keys for word in tables.get(table, {}).get(key, ())
    )


_SHARED: dict[str, Callable[[Tables], str]] = {
    "n": lambda tables: f"[0-9{tables.get('calendar', {}).get('date_digits', '')}]",
    "month": _any_in("calendar", "months"),
    "weekdays": _any_in("calendar", "weekdays"),
    "numeral": _any_in("numerals", "words", "more_words"),
    "scale": _any_in("numerals", "scales"),
    "cjk": lambda _: CJK,
    "surname": lambda tables: f"[{tables.get('names', {}).get('surnames', '')}]",
}
"""What a pattern of any table may name, and what stands for it in a language."""
