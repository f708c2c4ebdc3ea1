"""The items of a list under a heading of measures.

Pure functions. Knows no forms and no sentences.
"""

import re
from collections.abc import Iterator

from kb_service.domain.facts import Fact, FactField
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText, UnitKind
from kb_service.language.lexicon import BULLETS, shipped_lexicon
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import Place, compared, fact

_MIN_MEASURE = 4
_NUMERALS = re.escape("".join(NUMERALS.digits))
_HEAD_WORDS = "|".join(shipped_lexicon().patterns("stated", "measure_heads"))
_HEADS = regex(rf"[\W\d_{_NUMERALS}]*(?:{_HEAD_WORDS})[\W_]*")
_ITEM = regex(
    rf"\s*(?:[(\uff08]?(?:\d{{1,2}}|[{_NUMERALS}]{{1,3}})[.)\u3001\uff09]|[-*{BULLETS}])\s*"
    r"(?:\[[ xX]?\]\s*)?"
)


def listed_measures(marked: MarkedText, folded: str, at: Place) -> Iterator[Fact]:
    """The items of a list under a heading of measures."""
    is_under = False
    for unit in marked.units:
        words = unit.span.of(folded)
        if _HEADS.fullmatch(words):
            is_under = True
        elif unit.kind is UnitKind.HEADING or unit.kind is UnitKind.FIELD:
            is_under = False
        elif is_under:
            item = _ITEM.match(words)
            if item is None:
                is_under = False
                continue
            span = TextSpan(unit.span.start + item.end(), unit.span.end)
            if len(span) >= _MIN_MEASURE:
                yield fact(
                    FactField.MEASURE, span.of(marked.text), span, at, compared(span.of(folded))
                )
