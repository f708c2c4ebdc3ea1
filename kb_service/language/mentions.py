"""Does a text speak of what a question names? However it writes it, and however it was mistyped.

Pure functions on normalised text. Decides nothing: what follows from it is the services' business.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from kb_service.domain.questions import Subject, SubjectKind
from kb_service.language.dates import dates_in_title
from kb_service.language.events import speaks_of_event
from kb_service.language.han_names import names_other_end
from kb_service.language.homophones import same_sound
from kb_service.language.identifiers import names_whole
from kb_service.language.lexicon import CJK, HAN, shipped_lexicon
from kb_service.language.numbered import is_numbered, tells_thing
from kb_service.language.regexes import regex
from kb_service.language.scripts import is_across
from kb_service.language.text import normalise
from kb_service.language.transliteration import MIN_LETTERS, is_pinyin_in, is_rendered
from kb_service.language.values import supporting_values

MIN_STEM = 5
"""A Latin word is met by so many of its first letters: Norman by Normans."""

MIN_SOUND = 3
"""Two characters sound like too many others to be taken for a typo."""

MIN_PICKING_CORE = 3
"""A shorter name without its ending stands in those of others: 中环, 天泽."""

_LEXICON = shipped_lexicon()
_HAN = regex(f"[{HAN}]")
_SPACES = regex(rf"(?<=[{CJK}])\s+(?=[{CJK}])")
_DROPPED = frozenset(
    word for key in ("dropped", "titles") for word in _LEXICON.listed("subjects", key)
)
_TRANSLATED = _DROPPED.union(
    *(
        _LEXICON.listed("subjects", key)
        for key in ("translated", "place_endings", "organisation_endings")
    )
)
"""Words of Latin names that a paper in another language has in words of its own."""

_COUNTING = "".join(
    _LEXICON.characters(*key) for key in (("subjects", "ordinals"), ("calendar", "date_digits"))
)
_ORDINAL = regex(rf"[{_COUNTING}\d]+$")
"""A core that only counts tells nothing without its ending."""

_PINYIN = regex(
    "(?:(?:[bpmfdtnlgkhjqxrzcsyw]|[zcs]h)?(?:[aeiouv]|ai|ei|ao|ou|ia|ie|iao|iu|ua|uo|uai|ui|ue)"
    "(?:ng?|r)?)+"
)
"""A word spelt like a Chinese one; other Latin names stand as they are in Chinese papers."""

_LATIN_NAMES = frozenset(
    (SubjectKind.NAME, SubjectKind.PERSON, SubjectKind.PLACE, SubjectKind.ORGANISATION)
)
_DAY_MARK = regex(r"(?<!\d)(?P<month>\d{1,2})[\u00b7\u2022\u2027\u30fb](?P<day>\d{1,2})(?!\d)")
"""A day by which an incident goes, as it is written between quotation marks: 4·2."""

_DOTTED_MARK = regex(
    r"(?<![\d.])(?P<month>\d{1,2})\.(?P<day>\d{1,2})(?=[\s\u201d\u2019\u300d\u300f\"'])"
)

_NO_LETTERS = regex(r"[\W_]+")
_WORDS = regex(r"[^\W_]+(?:['’.-][^\W_]+)*")


def picking_names(subjects: Iterable[Subject]) -> tuple[str, ...]:
    """Return the distinct names of subjects that may pick documents, normalised.

    An organisation stands without its ending where that still tells it from others, a place with
    it. Of a Latin name each capitalised word stands alone, as `name:…`, and the whole name: Erik
    Brandt is not Erik Lindqvist and Nora Brandt.
    """
    found: list[str] = []
    for subject in subjects:
        if not _HAN.search(subject.text):
            found += _capitalised(subject)
        elif subject.kind in (SubjectKind.PLACE, SubjectKind.ORGANISATION):
            cores = [form for form in subject.forms[1:2] if len(form) >= MIN_PICKING_CORE]
            is_place = subject.kind is SubjectKind.PLACE
            found.append(subject.forms[0] if is_place or not cores else cores[0])
    return tuple(dict.fromkeys(found))


def _capitalised(subject: Subject) -> list[str]:
    if subject.kind not in _LATIN_NAMES:
        return []
    words = [match.group() for match in _WORDS.finditer(subject.text) if match.group()[0].isupper()]
    whole = [subject.text] if len(words) > 1 else []
    return [f"name:{normalise(name)}" for name in (*words, *whole)]


def unmentioned(
    subjects: Iterable[Subject], text: str, language: str = "", typed: str = ""
) -> tuple[Subject, ...]:
    """Return the subjects that a normalised text does not speak of, none of the background.

    `language`: the question's. A text in another one has names in its own script; `typed`: the text
    with its capitals, by which foreign ones are told.
    """
    return tuple(
        subject
        for subject in subjects
        if not subject.is_background
        and not mentions(text, subject)
        and not (is_across(language, text) and _stands_across(subject, text, typed or text))
    )


def _stands_across(subject: Subject, text: str, typed: str) -> bool:
    """True when a text in another language has a name in its own script.

    What is translated in a name cannot be held against the text.
    """
    whole, *others = subject.forms
    if subject.kind not in _LATIN_NAMES or is_numbered(whole):
        return False
    if _HAN.search(whole):
        cores = [core for core in others if _tells(core)]
        return any(is_rendered(name, typed) for name in (whole, *cores))
    words = [word for word in _WORDS.findall(whole) if word not in _TRANSLATED]
    spelt = [word for word in words if _PINYIN.fullmatch(word)]
    if is_pinyin_in("".join(spelt), text):
        words = [word for word in words if word not in spelt]
    elif any(len(word) >= MIN_LETTERS for word in spelt):
        words = [word for word in words if word not in spelt or len(word) >= MIN_LETTERS]
    return all(is_pinyin_in(word, text) or _has_words(text, word) for word in words)


def mentions(text: str, subject: Subject) -> bool:
    """True when a normalised text (title and words) speaks of a subject.

    Places without their ending unless another ending follows, organisations by their core, Latin
    names by all their telling words; a name that sounds alike only when it is not there as written.
    """
    match subject.kind:
        case SubjectKind.DATE:
            return any(_states_date(text, form) for form in subject.forms)
        case SubjectKind.NUMBER:
            return any(form in _values(text) for form in subject.forms)
        case SubjectKind.EVENT:
            return any(speaks_of_event(text, form) for form in subject.forms)
        case SubjectKind.IDENTIFIER:
            return any(names_whole(text, form) for form in subject.forms)
        case SubjectKind.FILE_NAME:
            return any(form in text for form in subject.forms)
    return _speaks_of_name(_SPACES.sub("", text), subject)


def _speaks_of_name(text: str, subject: Subject) -> bool:
    whole, *others = subject.forms
    if is_numbered(whole):
        return tells_thing(text, whole)
    if mark := _DAY_MARK.fullmatch(whole):
        return _bears_mark(text, mark["month"], mark["day"])
    if whole in text or _has_letters(text, whole):
        return True
    if not _HAN.search(whole):
        return _has_words(text, whole)
    if any(_has_core(text, core, subject.kind) for core in others if _tells(core)):
        return True
    return len(whole) >= MIN_SOUND and _sounds_in(text, whole)


def _bears_mark(text: str, month: str, day: str) -> bool:
    """True when a text bears the mark of an incident's day (4·2), or none and states that day."""
    marks = {
        (m["month"], m["day"])
        for pattern in (_DAY_MARK, _DOTTED_MARK)
        for m in pattern.finditer(text)
    }
    return (month, day) in marks or (not marks and _states_date(text, f"date:{month}-{day}"))


def _tells(core: str) -> bool:
    return len(core) > 1 and _ORDINAL.match(core) is None


def _has_letters(text: str, name: str) -> bool:
    """True when a text has the letters of a name, whatever marks and spaces are between them."""
    letters = _NO_LETTERS.sub("", name)
    return len(letters) > MIN_SOUND and letters in _letters_of(text)


@lru_cache(maxsize=64)
def _letters_of(text: str) -> str:
    return _NO_LETTERS.sub("", text)


def _has_words(text: str, name: str) -> bool:
    """True when a text has all words of a Latin name that tell it from others."""
    words = _WORDS.findall(name)
    telling = [word for word in words if word not in _DROPPED] or words
    return bool(telling) and all(
        re.search(rf"(?<![^\W_]){re.escape(word[:MIN_STEM])}", text) for word in telling
    )


def _has_core(text: str, core: str, kind: SubjectKind) -> bool:
    if kind is not SubjectKind.PLACE:
        return core in text
    return any(
        not names_other_end(text[match.end() : match.end() + 4])
        for match in re.finditer(re.escape(core), text)
    )


def _sounds_in(text: str, name: str) -> bool:
    return any(
        same_sound(text[start : start + len(name)], name)
        for start in range(len(text) - len(name) + 1)
    )


def _states_date(text: str, value: str) -> bool:
    """True when a text states a date, or its day and, elsewhere, its year."""
    values = _values(text)
    if value in values or value in dates_in_title(text[:200]):
        return True
    year, _, day = value.removeprefix("date:").partition("-")
    if not (value.startswith("date:") and len(year) == 4 and f"date:{day}" in values):
        return False
    other_year = re.compile(rf"date:(?!{year})\d{{4}}-{re.escape(day)}")
    return f"num:{year}" in values and not any(other_year.fullmatch(each) for each in values)


@lru_cache(maxsize=64)
def _values(text: str) -> frozenset[str]:
    return supporting_values(text)
