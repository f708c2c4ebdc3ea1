"""Names as Unicode has them: one name in several forms is one name.

macOS writes é as two characters, other systems as one. Names are stored composed (NFC); those
stored earlier are found in whatever form they have.
"""

import unicodedata


def composed(name: str) -> str:
    """Return the form in which a new name is stored."""
    return unicodedata.normalize("NFC", name)


def forms_of(name: str) -> tuple[str, ...]:
    """Return the forms under which a name may be stored: as given, composed, decomposed."""
    return tuple(dict.fromkeys((name, composed(name), unicodedata.normalize("NFD", name))))
