"""Amounts of a kind that a question asks for (power, age, pay), and whether words state any.

Pure functions on normalised text. Knows kinds that their words tell apart, and no others.
"""

from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.quantities import held, units_named
from kb_service.language.regexes import regex
from kb_service.language.rows import is_row

_LEXICON = shipped_lexicon()
_KINDS = _LEXICON.listed("amounts", "kinds")
_ASKED, _TOLD = (
    {
        kind: regex("|".join(_LEXICON.patterns("amounts", f"{key}_{kind}")) or "(?!)")
        for kind in _KINDS
    }
    for key in ("asked", "told")
)

_SORTS = (
    frozenset(("ms", "s", "min", "h", "d", "week", "month", "year")),
    frozenset(("mm", "cm", "m", "km", "in", "ft", "mi")),
    frozenset(("mg", "g", "kg", "t", "lb")),
    frozenset(("ml", "l", "m3", "gal")),
)
"""Units that measure one thing; the first ones measure time, which days and hours tell too."""

_MEASURES = {
    word: unit
    for word, unit in _LEXICON.paired("wording", "measures").items()
    if any(unit in sort for sort in _SORTS)
}
_HOW_MANY = [
    regex(pattern.replace("UNIT", f"(?P<unit>{any_of(_MEASURES)})"))
    for pattern in _LEXICON.patterns("amounts", "how_many")
]

_SHORT = _LEXICON.paired("amounts", "short")
_IN_SHORT = regex(rf"\d\s*(?P<unit>{any_of(_SHORT)})(?![^\W_])")
"""Signs of units that are words of their own without a number before them."""


def lacks_amount(asked: str, told: str) -> bool:
    """True where a question asks for an amount of a kind that words do not speak of.

    `asked`: the normalised question; `told`: the normalised sentence, field or row. A length is no
    power, a sentence without an age tells nobody's, and one without any length of time no minutes.
    """
    wanted = [kind for kind in _KINDS if _ASKED[kind].search(asked)]
    if wanted and not any(_TOLD[kind].search(told) for kind in wanted):
        return True
    units = {_MEASURES[m["unit"]] for pattern in _HOW_MANY for m in pattern.finditer(asked)}
    sorts = [sort for sort in _SORTS if sort & units]
    return bool(sorts) and not is_row(told) and not any(_measures(told, sort) for sort in sorts)


def _measures(told: str, sort: frozenset[str]) -> bool:
    text, quantities = held(told)
    units = {unit for _, unit in units_named(text)} | {quantity.unit for quantity in quantities}
    units |= {_SHORT[match["unit"]] for match in _IN_SHORT.finditer(told)}
    is_told = sort is _SORTS[0] and any(
        quantity.value.startswith(("date:", "time:")) for quantity in quantities
    )
    return is_told or bool(units & sort)
