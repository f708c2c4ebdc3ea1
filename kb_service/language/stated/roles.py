"""In what role somebody is stated, by the label or title beside the name: 报警人, handled by, Sgt.

Pure functions. Knows no names and no fields of records.
"""

from functools import lru_cache

from kb_service.domain.facts import FIELD_OF_ROLE, Role
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.plain import plain

_LEXICON = shipped_lexicon()
_LABELS = {
    role: regex("|".join(f"(?:{p})" for p in _LEXICON.patterns("roles", f"{role}_labels")))
    for role in Role
}
_WITHIN = {
    role: regex("|".join(f"(?:{p})" for p in _LEXICON.patterns("roles", f"{role}_within")))
    for role in Role
}
"""What says a role within a longer label: officer sent, who rang."""


@lru_cache(maxsize=4096)
def role_of(field: str, label: str) -> Role | None:
    """Return the role that a label of a person or organisation means, None where none of these."""
    words = " ".join(plain(label).split()).strip(" .:")
    roles = [role for role, of in FIELD_OF_ROLE.items() if of == field]
    behind = words.rpartition(" ")[2]
    called = (words,) if behind.isascii() else (words, behind)
    whole = (role for one in called for role in roles if _LABELS[role].fullmatch(one))
    told = [role for role in roles if _WITHIN[role].search(words)]
    return next(whole, told[0] if len(told) == 1 else None)
