"""What a report says beside the words of its answer, in the language of the answer. Pure functions.

Knows the texts by their names; neither what stands in a report nor in which order.
"""

from kb_service.language.lexicon import shipped_languages
from kb_service.language.plurals import filled


def report_text(label: str, language: str, **values: object) -> str:
    """Return a text in a language, its placeholders filled. Raises KeyError for an unknown one."""
    text: str = shipped_languages()[language]["report"][label]
    return filled(text, **values)


def report_reason(code: str, language: str) -> str:
    """Return why an answer is less than whole; the code itself where there are no words for it."""
    reasons = shipped_languages()[language]["report_reasons"]
    return str(reasons.get(code, code))
