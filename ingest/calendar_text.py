"""Calendars and cards (.ics, .vcf) as lines of text.

Knows how their lines are folded and their signs escaped (RFC 5545, RFC 6350); nothing of fields.
"""

import re

_FOLD = re.compile(r"\r?\n[ \t]")
_ESCAPED = re.compile(r"\\([nN,;\\])")


def unfolded(text: str) -> str:
    """Return the text with its lines whole and its signs as they are meant."""
    whole = _FOLD.sub("", text)
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], whole)
