"""Words beside a kind that mean one thing: gas and natural gas. Pure functions on words."""

from kb_service.language.lexicon import shipped_lexicon

_COMMON = shipped_lexicon().paired("kind_words", "common")
"""By each of several words for one thing the one that stands for all of them."""


def said_otherwise(words: str) -> tuple[str, ...]:
    """Return words, and what else says the same; the words themselves first."""
    common = _COMMON.get(words, words)
    others = (word for word, meant in _COMMON.items() if meant == common)
    return tuple(dict.fromkeys((words, common, *others)))
