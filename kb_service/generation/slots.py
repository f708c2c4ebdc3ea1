"""Where in a sentence the words stand that a question leaves open, by lining the two up.

"X was founded by whom in 1990" and a sentence with "founded by … in 1990" leave one gap. A pure
function on strings, mostly for Chinese, where questions keep the word order of their answers.
"""

import re

from kb_service.domain.spans import TextSpan

MAX_GAP = 40
"""A longer gap between both contexts is no answer but another clause."""

_OPEN_WORDS = re.compile(
    "什么时候|什么时间|什么|哪一?(?:[个位家座种些类款部本次级所里儿名届起条]|两[个人位])?|谁|何|多少|几"
)
_LINKS = frozenset("是为于由与和以在叫称字呈即任属从到被因向")
_MAX_CONTEXT = 8
_BOUNDARY = "，。；！？：,;!?\n"
_LOOSE_START = re.compile("^(?:所|而|的|会|将|曾|被|人|时|里)+")


def open_slot(question: str, sentence: str) -> TextSpan | None:
    """Return the span of the sentence that stands where the question has its question word.

    Needs both contexts, or one of at least two characters when the other is missing in the
    question or the sentence. None when nothing lines up.
    """
    asked = _OPEN_WORDS.search(question)
    if asked is None:
        return None
    left = question[: asked.start()]
    right = _LOOSE_START.sub("", question[asked.end() :].rstrip("？?。的呢吗 "))
    for size in range(min(len(left), _MAX_CONTEXT), 0, -1):
        context = left[-size:]
        if size == 1 and context not in _LINKS:
            break
        span = _behind(context, right, sentence)
        if span:
            return span
    return _before(right, sentence)


def _behind(left: str, right: str, sentence: str) -> TextSpan | None:
    """Return the gap between a left context and the right one, or the clause's rest without it."""
    for match in re.finditer(re.escape(left), sentence):
        start = match.end()
        end = _clause_end(sentence, start)
        for size in range(min(len(right), _MAX_CONTEXT), 0, -1):
            place = sentence.find(right[:size], start + 1, start + MAX_GAP)
            if place > start:
                return TextSpan(start, place)
        if len(left) > 1 and end > start:
            return TextSpan(start, end)
    return None


def _before(right: str, sentence: str) -> TextSpan | None:
    for size in range(min(len(right), _MAX_CONTEXT), 1, -1):
        place = sentence.find(right[:size])
        if place > 0:
            start = max(sentence.rfind(mark, 0, place) for mark in _BOUNDARY) + 1
            return TextSpan(start, place) if start < place else None
    return None


def _clause_end(sentence: str, start: int) -> int:
    places = [sentence.find(mark, start) for mark in _BOUNDARY]
    return min((place for place in places if place >= 0), default=len(sentence))
