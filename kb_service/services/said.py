"""What people said that facts of a base mean, as what is personal of it is hidden.

It stands in no text, but in tables, groups and the words that tell of them. Pure.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from kb_service.domain.facts import FactField
from kb_service.domain.masking import Masking, PersonalKind, PersonalSpan
from kb_service.domain.spans import TextSpan
from kb_service.language.personal.known import NO_NAMES, KnownNames, names_again, numbers_again
from kb_service.language.personal.numbers import folded, personal_numbers, tight
from kb_service.language.personal.people import role_meant
from kb_service.language.regexes import regex
from kb_service.storage.maskings import Said

MIN_DIGITS = 5
_OF_FIELD = {
    FactField.PHONE: PersonalKind.PHONE,
    FactField.EMAIL: PersonalKind.EMAIL,
    FactField.VEHICLE: PersonalKind.PLATE,
}
_WORD = regex(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Corrected:
    """What is hidden wherever it stands. `words`: names of one word, casefolded, as which they are
    grouped by; `numbers`: their letters and digits alone."""

    names: KnownNames = NO_NAMES
    words: Collection[str] = frozenset()
    numbers: Mapping[str, PersonalKind] = field(default_factory=dict)

    def spans(self, text: str) -> list[PersonalSpan]:
        """Return what stands in a text."""
        found = [PersonalSpan(span, None) for span in names_again(text, self.names)]
        found += [PersonalSpan(s, self.numbers[n]) for s, n in numbers_again(text, self.numbers)]
        if self.words:
            words = (match.span() for match in _WORD.finditer(text))
            spans = (TextSpan(*at) for at in words if text[slice(*at)].casefold() in self.words)
            found += [PersonalSpan(span, None) for span in spans]
        return found


NOTHING_SAID = Corrected()


def corrected_of(said: Iterable[Said], masking: Masking) -> Corrected:
    """Return what a masking hides of what people said."""
    names: set[str] = set()
    numbers: dict[str, PersonalKind] = {}
    for one in said:
        if one.field == FactField.PERSON:
            # A text that is not there now tells no role.
            if masking.roles and (not one.labels or _is_hidden(one.labels, masking)):
                names.add(one.typed)
        else:
            numbers |= _numbers_of(one.field, one.typed, masking)
    words = {name.strip().casefold() for name in names if _WORD.fullmatch(name.strip())}
    return Corrected(KnownNames.of(names), frozenset(words), numbers)


def _is_hidden(labels: Iterable[str], masking: Masking) -> bool:
    return any(role_meant(label) in masking.roles for label in labels)


def _numbers_of(name: str, typed: str, masking: Masking) -> dict[str, PersonalKind]:
    kind = _OF_FIELD.get(FactField(name)) if name in {*FactField} else None
    if kind is not None:
        whole = tight(folded(typed))
        is_long = len(whole) >= MIN_DIGITS and any(map(str.isdigit, whole))
        return {whole: kind} if is_long and kind in masking.kinds else {}
    # The name of a column is the label of its values.
    plain = folded(f"{name}: {typed}")
    found = personal_numbers(plain, masking.kinds)
    return {tight(item.span.of(plain)): item.kind for item in found if item.kind is not None}
