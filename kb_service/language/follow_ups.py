"""Words by which a question refers to the one before it. Pure functions; knows no conversation."""

import re

from kb_service.language.lexicon import shipped_lexicon

_POINTS_BACK = re.compile("|".join(shipped_lexicon().patterns("follow_up", "points_back")))


def points_back(normalised: str) -> bool:
    """True for a normalised question with a pronoun, or an opening that goes on from another."""
    return bool(_POINTS_BACK.search(normalised))
