"""Words and sentences of a text, one way for index, gate, reader and citations.

Pure functions on strings. Knows nothing of documents or indexes.
"""

import re
import unicodedata
from collections.abc import Iterator

from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import CJK, Lexicon, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.variants import simplified

CLAUSE_ENDS = tuple(shipped_lexicon().listed("sentences", "clause_ends"))
"""Where a sentence that is too long is cut, the best place of each language first."""

_CJK_RUN = regex(f"[{CJK}]+")
# An identifier keeps its inner joints: SG-2024-001, N5921D, 10.0.0.1, db1042.eqiad, a@b.org, C++.
_TOKEN = regex(f"[{CJK}]+|[^\\W_{CJK}]+(?:[-./:@_'+#&]+[^\\W_{CJK}]+)*")
_NO_WIDTH = regex("\u00ad(?:\n[ \t]*)?|[\u200b-\u200d\u2060\ufeff]")
_BROKEN = regex(f"([^\\W\\d_{CJK}]{{2,}})-\n[ \t]*([^\\W\\d_{CJK}]{{2,}})")
"""A word that goes on in the next line."""
_JOINT = regex(r"[-./:@_'+#&]+")


_NO_ITEM = "".join(
    rf"(?<!{begins}{indent}{digits})"
    for begins in (r"\A", r"\n")
    for indent in ("", "[ ]", "[ ]{2}", "[ ]{3}", "[ ]{4}")
    for digits in (r"\d", r"\d\d")
)
"""Behind the number that begins a line, a point ends no sentence: the item goes on."""


def sentence_end(lexicon: Lexicon) -> re.Pattern[str]:
    """Return the pattern of what ends a sentence in the languages of a lexicon."""
    ends, closing, numerals, marks, opens = (
        re.escape(lexicon.characters("sentences", key))
        for key in ("ends", "closing", "list_numerals", "list_marks", "list_opens")
    )
    is_short = "".join(f"(?<!\\b{word})" for word in lexicon.listed("sentences", "abbreviations"))
    return re.compile(
        # An ASCII mark inside a URL or a name ends nothing; a semicolon joins two clauses there.
        f"(?:[{ends}]|[!?](?=[\\s!?{ends}\"'){closing}{CJK}]|$)|;(?=\\s*(?:\n|$)|[{CJK}]))+"
        f"[\"'){closing}]*"
        rf"|(?<![A-Z])(?<!\b[A-Z][a-z])(?<!\b[a-z]){is_short}{_NO_ITEM}"
        r"\.[\"')\]]*(?=\s+[A-Z0-9\"'(\[•]|\s*$)"
        rf"|\n\s*\n|\n(?=\s*(?:[•·●▪*-]|\d{{1,2}}(?:\.(?!\d)|[){marks}])"
        rf"|[({opens}]?[{numerals}]+[){marks}]))"
    )


_SENTENCE_END = sentence_end(shipped_lexicon())


def normalise(text: str) -> str:
    """Return NFKC, case-folded text: full-width digits and letters become plain ones.

    Traditional characters become simplified ones. Soft hyphens and characters without width, which
    only say where a line may end, split no word.
    """
    return simplified(_NO_WIDTH.sub("", unicodedata.normalize("NFKC", text)).casefold())


def index_terms(text: str) -> list[str]:
    """Return the search terms of a text, with repetitions, in reading order."""
    return terms_of(normalise(text))


def terms_of(normalised: str) -> list[str]:
    """Return the search terms of a normalised text, with repetitions, in reading order.

    Every CJK character and pair of neighbours (character unigrams and bigrams), and every Latin
    word, number or identifier whole; an identifier with joints (case numbers, host names) also
    yields its parts. A word that a line end breaks is also said whole, with
    the hyphen and without: nobody knows whose it is.
    """
    terms: list[str] = []
    for match in _TOKEN.finditer(normalised):
        token = match.group()
        if _CJK_RUN.fullmatch(token):
            terms.extend(_character_terms(token))
        else:
            terms.append(token)
            parts = _JOINT.split(token)
            if len(parts) > 1:
                terms.extend(part for part in parts if part)
    for before, after in _BROKEN.findall(normalised):
        terms += [before + after, f"{before}-{after}"]
    return terms


def needed_terms(normalised: str) -> list[str]:
    """Return the index terms that every text has which holds these words as they are.

    The parts of what has joints, not the whole, which may have more joints there.
    """
    needed: list[str] = []
    for match in _TOKEN.finditer(normalised):
        token = match.group()
        if _CJK_RUN.fullmatch(token):
            needed.extend(_character_terms(token))
        else:
            needed.extend(part for part in _JOINT.split(token) if part)
    return needed


def is_one_term(normalised: str) -> bool:
    """True when a text holds these words as they are wherever their own index term stands."""
    match = _TOKEN.fullmatch(normalised)
    return match is not None and (not _CJK_RUN.fullmatch(normalised) or len(normalised) <= 2)


def _character_terms(run: str) -> Iterator[str]:
    for index, character in enumerate(run):
        yield character
        if index + 1 < len(run):
            yield run[index : index + 2]


def sentence_spans(text: str, ends: re.Pattern[str] = _SENTENCE_END) -> list[TextSpan]:
    """Return the sentences of a text as spans without surrounding white space, in order.

    Chinese and English end marks, blank lines and list items end a sentence; a single line end does
    not, because PDF lines break inside sentences. Every non-space character lies in one span.
    """
    spans: list[TextSpan | None] = []
    start = 0
    for match in ends.finditer(text):
        spans.append(trimmed_span(text, start, match.end()))
        start = match.end()
    spans.append(trimmed_span(text, start, len(text)))
    return [span for span in spans if span is not None]


def trimmed_span(text: str, start: int, end: int) -> TextSpan | None:
    """Return `text[start:end]` without white space at both ends, None when nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return TextSpan(start, end) if start < end else None


def is_chinese(text: str) -> bool:
    """True when the text is written mostly in CJK characters (at least a fifth of its letters)."""
    num_cjk = sum(len(run) for run in _CJK_RUN.findall(text))
    num_letters = sum(character.isalpha() for character in text)
    return num_letters > 0 and num_cjk >= 0.2 * num_letters
