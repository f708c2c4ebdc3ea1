"""What the service itself says, to users and to a model, in the language of whom it speaks to.

Pure functions. Knows the texts by their names; knows neither when they are said nor by whom.
"""

from kb_service.language.lexicon import shipped_languages
from kb_service.language.plurals import filled
from kb_service.language.text import is_chinese


def language_of(text: str) -> str:
    """Return the code of the language in which to speak to the author of a text."""
    return "zh" if is_chinese(text) else "en"


def message(name: str, language: str, **values: object) -> str:
    """Return a text in a language, its placeholders filled."""
    text: str = shipped_languages()[language]["messages"][name]
    return filled(text, **values)


def in_all_languages(name: str, **values: object) -> list[str]:
    """Return a text in every language, English first."""
    return [message(name, language, **values) for language in reversed(list(shipped_languages()))]
