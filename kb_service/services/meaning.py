"""Which values of a base words mean: those that have the words in them, said or denied alike.

Pure functions. Knows no base; values are handed in, by field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb_service.language.inflection import base_form
from kb_service.language.lexicon import HAN, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
TOKEN = re.compile(r"[a-z0-9][a-z0-9'_-]*")
JOINING = frozenset(_LEXICON.listed("calling", "joining"))
_DENIED = "|".join(_LEXICON.patterns("calling", "denied"))
_DENIED_BEFORE, _DENIES = regex(rf"(?:{_DENIED})$"), regex(rf"(?:{_DENIED})")
_PART = re.compile("[a-z]+|[0-9]+")
_WHOLE = rf"(?<![^\W{HAN}]){{}}(?![^\W{HAN}])"
"""Not beside letters or digits; Han characters stand beside each other where no word ends."""
_MIN_CORE = 2
_BRACKETS = str.maketrans("", "", "()[]")
_ANSWERS = {
    is_yes: frozenset(_LEXICON.listed("calling", key))
    for key, is_yes in (("yes", True), ("no", False))
}


@dataclass(frozen=True, slots=True)
class Meant:
    """Values of a field that words mean. `is_left_out`: what they mean is any other one."""

    field: str
    values: tuple[str, ...]
    is_left_out: bool = False


def values_with(words: str, values: Mapping[str, Sequence[str]]) -> list[Meant]:
    """Return by field the values that have the words in them, whole ones first.

    A value that denies them is not meant; words that deny mean such a one, or what no value that
    says it without. Of a field of which all values have them nothing is told apart.
    """
    told = _by_field(words, values, is_denied=False)
    denies = _DENIES.match(words)
    core = words[denies.end() :].strip() if denies else ""
    if told or len(core) < _MIN_CORE:
        return told
    return _by_field(core, values, is_denied=True) or [
        Meant(one.field, one.values, is_left_out=True)
        for one in _by_field(core, values, is_denied=False)
    ]


def _by_field(words: str, values: Mapping[str, Sequence[str]], *, is_denied: bool) -> list[Meant]:
    whole = [Meant(name, (words,)) for name, several in values.items() if words in several]
    if whole and not is_denied:
        return whole
    having = {
        name: tuple(one for one in several if _is_denied_in(one, words) is is_denied)
        for name, several in values.items()
    }
    return [Meant(name, told) for name, told in having.items() if _tells(told, values[name])]


def _tells(having: Sequence[str], several: Sequence[str]) -> bool:
    """True for some of the values of a field, not all of them: that would tell nothing apart."""
    return 0 < len(having) < max(len(several), 2)


def _is_denied_in(value: str, words: str) -> bool | None:
    """True where a value denies the words that it has in it; None where it has them not."""
    bound = r"\b" if words.isascii() else ""
    if not words.isascii() and words not in value:
        value = value.translate(_BRACKETS)  # 青山(镇)
    denied = [
        bool(_DENIED_BEFORE.search(value[: match.start()]))
        for match in re.finditer(f"{bound}{re.escape(words)}{bound}", value)
    ]
    return all(denied) if denied else None


def value_meant(words: str, values: Mapping[str, Sequence[str]]) -> Meant | None:
    """Return the values of one field that have all the words in any form; None where that is open.

    `values`: the few that each field has.
    """
    wanted = stems_in(words)
    if not wanted:
        return None
    having = {
        name: tuple(one for one in several if says_all(stems_in(one), wanted))
        for name, several in values.items()
    }
    found = [Meant(name, told) for name, told in having.items() if _tells(told, values[name])]
    return found[0] if len(found) == 1 else None


def says_all(stems: frozenset[str], wanted: frozenset[str]) -> bool:
    """True where words have all that are wanted among them, and none that denies anything."""
    return wanted <= stems and not any(map(_DENIES.fullmatch, stems - wanted))


def stems_in(words: str) -> frozenset[str]:
    """Return the words of a text in their base form, without those that only join others."""
    found = (one.replace("-", "") for one in TOKEN.findall(words))  # e-mail, Wi-Fi
    return frozenset(base_form(one) for one in found if one not in JOINING)


def is_called(title: str, words: str) -> bool:
    """True for a title, in lower case, that has each of some words as a word, in any form.

    An incident register is not called by a dent. Words that no blanks part stand in it as a whole.
    """
    if not words.isascii():
        return len(words) > 1 and re.search(_WHOLE.format(re.escape(words)), title) is not None
    wanted = stems_in(words)
    # Names of files join words: incident_register-2026.xlsx.
    parts = map(base_form, _PART.findall(title))
    return bool(wanted) and wanted <= stems_in(title).union(parts)


def answer_among(values: Sequence[str], *, is_yes: bool) -> str | None:
    """Return the value that says yes, or no, of a field that says nothing else; None else."""
    if not _ANSWERS[True].union(_ANSWERS[False]).issuperset(values):
        return None
    told = [value for value in values if value in _ANSWERS[is_yes]]
    return told[0] if len(told) == 1 else None
