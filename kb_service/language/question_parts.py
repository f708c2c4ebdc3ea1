"""A question that asks for two things, as two questions that each stand on their own.

Pure functions on a question. In doubt it is one question.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from kb_service.domain.questions import Question, QuestionPart, Subject, SubjectKind
from kb_service.language.asked import parse_question
from kb_service.language.background import asking_first, only_looks_up
from kb_service.language.kinds import bare_question
from kb_service.language.lexicon import HAN, any_of, shipped_lexicon
from kb_service.language.messages import message
from kb_service.language.regexes import regex
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise

_LEXICON = shipped_lexicon()


def _listed(key: str) -> str:
    return any_of(_LEXICON.listed("question_parts", key))


_ASKS = regex("|".join(_LEXICON.patterns("question_parts", "asks")), re.IGNORECASE)
_LEADS = regex("|".join(_LEXICON.patterns("question_parts", "leads")))
_BEGINS = _LEXICON.characters("question_parts", "begins")
_JOIN = regex(_listed("joins"))
_NO_JOIN = regex(_listed("not_joins"))
_EACH = regex(f"(?!{_listed('not_each')})(?:{_listed('each')})")
_ATTRIBUTE = _LEXICON.characters("question_parts", "attribute")
_MARK = regex(r"[?\uff1f]+")
_CLAUSES = regex("|".join(_LEXICON.patterns("question_parts", "clauses")), re.IGNORECASE)
_TWO_WORDS = regex(
    rf"^(?P<first>{_BEGINS})\s+(?:{_listed('joins')})\s+(?P<second>{_BEGINS})\s+(?P<rest>.+)",
    re.IGNORECASE,
)
_HAN = regex(f"[{HAN}]")
_LOOSE = regex(r"\s+(?=[?.!])")
_MIN_ITEM = 2
_MIN_PART = 4
_OWN = frozenset(SubjectKind) - {SubjectKind.NUMBER, SubjectKind.EVENT, SubjectKind.DATE}


def parts_of(question: Question) -> tuple[QuestionPart, ...]:
    """Return the questions that a question consists of, each with the subject it is about.

    One, as it was typed, when it asks for one thing or nothing tells where to part it.
    """
    text = question.text.strip()
    for split in (_at_marks, _at_asking_words, _of_each, _at_clauses):
        parts = split(text)
        if len(parts) > 1:
            return tuple(_with_subject(parts, goes_on=split is not _of_each))
    return (QuestionPart(question.text, question.text),)


def about(subject: str, asked: str, language: str) -> str:
    """Return a question with what it is about in front, in its language."""
    return message("asked_about", language, subject=subject, question=asked)


def _at_marks(text: str) -> list[str]:
    """Return the sentences that each end with a question mark and ask."""
    ends = [match.end() for match in _MARK.finditer(text)]
    if len(ends) < 2:
        return []
    starts = [0, *ends]
    parts = [text[start:end].strip() for start, end in zip(starts, ends, strict=False)]
    asking = [part for part in parts if _is_whole(part) and _asks(part)]
    is_whole = ends and len(text) - ends[-1] < _MIN_PART
    return asking if is_whole and len(asking) == len(parts) else []


def _at_asking_words(text: str) -> list[str]:
    """Return "when did it start" and "where did it start" for "when and where did it start"."""
    match = _TWO_WORDS.match(text)
    if match is None:
        return []
    second = match["second"]
    return [f"{match['first']} {match['rest']}", f"{second[0].upper()}{second[1:]} {match['rest']}"]


def _at_clauses(text: str) -> list[str]:
    """Return the two clauses around a join or a pause when each asks for something."""
    if asking_first(text) != text:
        return []  # "When it stopped, who was there?" asks for no time
    for match in _CLAUSES.finditer(text):
        sides = [text[: match.start()].strip(), text[match.end() :].strip()]
        if all(_is_whole(side) and _asks(side) for side in sides) and _begins(sides[0]):
            return sides
    return []


def _begins(part: str) -> bool:
    """True unless its asking word may stand in a relative clause: "the firm whose shed burned"."""
    return bool(_HAN.search(part) or re.match(_BEGINS, bare_question(normalise(part))))


def _is_whole(part: str) -> bool:
    """True for more than an asking word: of four characters, or three words."""
    return len(part) > _MIN_PART and (bool(_HAN.search(part)) or len(part.split()) > 2)


def _of_each(text: str) -> list[str]:
    """Return "A 是什么" and "B 是什么" for "A 和 B 分别是什么", whatever is joined."""
    each = _EACH.search(text)
    if each is None or not _asks(text):
        return []
    before, after = text[: each.start()], text[each.end() :]
    if not after.strip(" ?\uff1f.") or not _ASKS.search(normalise(after)):
        return _without_either(text)
    head, items, tail = _items(before)
    if len(items) < 2 or any(len(item.strip()) < _MIN_ITEM for item in items):
        return _without_either(text)
    owners = [head, *("" if _names(item) else head for item in items[1:])]
    pairs = zip(owners, items, strict=True)
    return [f"{owner}{item.strip()}{tail}{after}" for owner, item in pairs]


def _names(text: str) -> bool:
    return any(subject.kind in _OWN for subject in subjects_in(parse_question(text)))


def _items(before: str) -> tuple[str, list[str], str]:
    """Return what stands before the joined items, the items, and what follows them."""
    joins = list(_joins(before))
    if not joins or not _ATTRIBUTE:
        return "", [], ""
    owner = before.rfind(_ATTRIBUTE, 0, joins[0].start()) + 1
    if owner and _ATTRIBUTE in before[joins[-1].end() :]:
        owner = 0  # each item has an owner of its own
    end = len(before)
    if not owner and _ATTRIBUTE not in before[: joins[0].start()]:
        shared = before.find(_ATTRIBUTE, joins[-1].end())
        end = shared if shared >= 0 else end
    places = [owner, *(at for join in joins for at in join.span()), end]
    pairs = zip(places[::2], places[1::2], strict=True)
    return before[:owner], [before[start:stop] for start, stop in pairs], before[end:]


def _joins(text: str) -> Iterator[re.Match[str]]:
    taken = [match.span() for match in _NO_JOIN.finditer(text)]
    for match in _JOIN.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in taken):
            yield match


def _without_either(text: str) -> list[str]:
    """Return the question once for each of two names that a join holds together."""
    named = [subject for subject in subjects_in(parse_question(text)) if subject.kind in _OWN]
    for first, second in pairwise(named):
        between = text[first.span.end : second.span.start]
        if _JOIN.fullmatch(between.strip()):
            before = _EACH.sub("", text[: first.span.start])
            after = _EACH.sub("", text[second.span.end :])
            asked = (f"{before}{name.text}{after}" for name in (first, second))
            return [_LOOSE.sub("", " ".join(one.split())) for one in asked]
    return []


def _with_subject(parts: list[str], *, goes_on: bool) -> Iterator[QuestionPart]:
    """Yield the parts, what the first is about in front of those that name nothing themselves.

    One of asking words alone (and by when?) asks it of all that the first one says. `goes_on`: the
    others go on from the first one.
    """
    first = parse_question(parts[0])
    named = [subject for subject in subjects_in(first) if subject.kind is not SubjectKind.NUMBER]
    yield QuestionPart(parts[0], parts[0])
    for part in parts[1:]:
        asked = _LEADS.sub("", part, count=1) if _LEADS.match(part) else part
        own = parse_question(asked)
        if not own.terms:
            words = _ASKS.sub(" ", first.text.strip(" ?\uff1f")).strip()
            whole = about(" ".join(words.split()), asked, first.language)
            yield QuestionPart(whole, asked, goes_on)
        elif subjects_in(own) or _stands_instead(asked, parts[0], named):
            yield QuestionPart(asked, asked)
        elif named:
            words = first.text[named[0].span.start : named[-1].span.end]
            yield QuestionPart(about(words, asked, first.language), asked, goes_on)
        else:
            yield QuestionPart(asked, asked, goes_on)


def _stands_instead(part: str, first: str, named: Sequence[Subject]) -> bool:
    """True where a part has something of its own where the first one has what it names.

    商铺什么时候停水 after 3号楼什么时候停水: the shops are not those of block 3.
    """
    behind = takewhile(lambda pair: pair[0] == pair[1], zip(part[::-1], first[::-1], strict=False))
    same = sum(1 for _ in behind)
    own = first[: len(first) - same].strip()
    is_all_named = bool(named) and named[0].span.start == 0 and named[-1].span.end >= len(own)
    return same >= _MIN_PART and is_all_named and bool(part[: len(part) - same].strip())


def _asks(text: str) -> bool:
    return bool(_ASKS.search(bare_question(normalise(text)))) and not only_looks_up(text)
