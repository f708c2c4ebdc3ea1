"""Which of the things that a question names it leaves out: not fires, 除了火灾以外.

Pure functions on the words as they are typed. Knows no documents.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kb_service.domain.spans import TextSpan
from kb_service.language.folding import fold
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_BEFORE, _BEHIND, _ALONE = (
    regex("|".join(f"(?:{p})" for p in _LEXICON.patterns("exclusions", key)))
    for key in ("before", "behind", "alone")
)
_JOIN = regex(rf"\s*(?:{any_of(_LEXICON.listed('exclusions', 'joins'))})\s*")
_REACH = 40


@dataclass(frozen=True, slots=True)
class Exclusions:
    """`named`: the spans that are left out. `words`: where it is said that they are."""

    named: tuple[TextSpan, ...] = ()
    words: tuple[TextSpan, ...] = ()

    def has(self, span: TextSpan) -> bool:
        """True for a span that is left out."""
        return any(span.overlap(one) for one in self.named)


def exclusions_in(typed: str, spans: Iterable[TextSpan]) -> Exclusions:
    """Return which of some spans words before or behind them leave out, with those joined to it."""
    folded = fold(typed)
    text = folded.text if len(folded.text) == len(typed) else typed.casefold()
    named: list[TextSpan] = []
    words: list[TextSpan] = []
    for span in sorted(spans):
        before = max(0, span.start - _REACH)
        told = _BEFORE.finditer(text, before, span.start)
        said = next((match for match in told if match.end() == span.start), None)
        is_joined = bool(named) and _JOIN.fullmatch(text, named[-1].end, span.start) is not None
        alone = _ALONE.match(text, span.end)
        if not (said or is_joined or alone):
            continue
        named.append(span)
        if said:
            words.append(TextSpan(*said.span()))
        elif is_joined:
            words.append(TextSpan(named[-2].end, span.start))
        behind = _BEHIND.match(text, span.end)
        if behind and behind.group():
            words.append(TextSpan(*behind.span()))
    return Exclusions(tuple(named), tuple(words))
