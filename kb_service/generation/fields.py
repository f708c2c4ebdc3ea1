"""Form fields and numbered items: where a value stands behind its label, and which item is asked.

Pure functions on one line or one list of units. Knows layout, and which labels a question word
stands for; weighs no sentences.
"""

import re
from collections.abc import Iterator, Sequence

from kb_service.domain.questions import AnswerType, Question
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import Unit, UnitKind
from kb_service.language.numerals import whole_number
from kb_service.language.questions import text_terms
from kb_service.language.text import normalise
from kb_service.language.units import item_number

MAX_ITEM_CHARS = 400
MAX_LIST_CHARS = 600

_COLON_LABEL = re.compile(r"(?P<label>[^:：\n]{1,45}?)\s*[:：]\s*(?P<value>.*)", re.DOTALL)
_SPACED_LABEL = re.compile(r"(?P<label>\S{2,8})[ \t\u3000]+(?P<value>\S.*)", re.DOTALL)
# Forms printed in columns have a second label behind the first value on the same line.
_INNER_LABEL = re.compile(r"(?<= )(?:[A-Z][\w&/.()-]* (?:(?:&|of|and|the) )?){0,4}[A-Z][\w/.()-]*:")
_NOT_A_LABEL_WORD = re.compile(r"(?:[A-Z]{2,4}|\S*\d\S*) ")
_ORDINAL = re.compile(r"第\s*([\d一二三四五六七八九十百千零〇]+)\s*(?:条|项|点|款|个|步|章)")
_ENGLISH_ORDINAL = re.compile(
    r"\b(?:(\d{1,3})(?:st|nd|rd|th)|(first|second|third|fourth|fifth|sixth))\s+(?:\w+\s+)?"
    r"(?:item|measure|recommendation|step|point|finding|action|cause|rule)"
)
_LIST_WORDS = re.compile(
    "哪些|哪几(?:条|项|点|个|步)|列出|有什么(?:措施|建议|要求|发现|步骤)|"
    r"\blist (?:all|the)\b|\b(?:what|which) (?:\w+ ){0,3}?"
    r"(?:measures|recommendations|actions|steps|findings|items|rules|points|causes)\b|"
    r"\bwhat (?:were|are) the (?:\w+ )?"
    r"(?:measures|recommendations|actions|steps|findings|items|rules|points|causes)\b"
)
_ENGLISH_ORDINALS = {
    word: n for n, word in enumerate(("first", "second", "third", "fourth", "fifth", "sixth"), 1)
}
_SMALL_WORDS = re.compile(r"(?<=\w )\([^()]*\)|\b(?:in|of|at|on|for|the|and|to)\b", re.IGNORECASE)
_ITEM_MARK = re.compile(r"\s*(?:[（(]?[\d一二三四五六七八九十百]+[.、)）]|第[^条]{1,8}条)\s*")
ITEM_LABEL = re.compile(_ITEM_MARK.pattern + r"[^:：，。；\s]{2,10}[:：]")
"""An item that begins with a label of its own."""

TYPE_LABELS: dict[AnswerType, frozenset[str]] = {
    AnswerType.DATE: text_terms("date time 日期 发生时间"),
    AnswerType.TIME: text_terms("time 发生时间"),
    AnswerType.PLACE: text_terms("location place site address 发生地点 位置 地址"),
    AnswerType.PERSON: text_terms("name 姓名"),
    AnswerType.IDENTIFIER: text_terms("number no id code 编号 号码"),
    AnswerType.CAUSE: text_terms("直接原因 probable cause root cause"),
    AnswerType.MONEY: text_terms("amount cost 金额"),
}
"""The label that a question word stands for, as terms."""


def fields_of(line: str) -> Iterator[tuple[str, str]]:
    """Yield (label, value) pairs of a field line; values may be empty."""
    first = _COLON_LABEL.match(line) or _SPACED_LABEL.match(line)
    if first is None:
        return
    value_start = first.start("value")
    inner = [_label_span(line, match) for match in _INNER_LABEL.finditer(line, value_start - 1)]
    labels = [(first["label"], value_start, first.start())]
    labels += [(line[start : end - 1], end, start) for start, end in inner]
    ends = [start for _, _, start in labels[1:]] + [len(line)]
    for (label, begin, _), end in zip(labels, ends, strict=True):
        yield label.strip(), line[begin : max(begin, end)].strip()


def _label_span(line: str, match: re.Match[str]) -> tuple[int, int]:
    start = match.start()
    # The state in "Tallahassee, FL Accident Number:" ends the value before, it begins no label.
    while word := _NOT_A_LABEL_WORD.match(line, start, match.end()):
        start = word.end()
    return start, match.end()


def asked_field(line: str, kind: AnswerType, asked: frozenset[str]) -> tuple[str, str] | None:
    """Return the longest (label, value) whose label the question asks for, None when none is.

    Every term of the label must stand in the question (`asked`: its stems) or be what the question
    word stands for. The words before an inner label may belong to the value before it, so its last
    words are tried too.
    """
    known = asked | TYPE_LABELS.get(kind, frozenset())
    found = [
        (suffix, value)
        for index, (label, value) in enumerate(fields_of(line))
        if value
        for suffix in _suffixes(label, is_inner=index > 0)
        if (terms := _label_terms(suffix)) and terms <= known
    ]
    return max(found, key=lambda pair: len(pair[0]), default=None)


def _label_terms(label: str) -> frozenset[str]:
    """Return the terms of a label without its small words and what it adds in brackets."""
    return text_terms(_SMALL_WORDS.sub(" ", label) or label)


def _suffixes(label: str, *, is_inner: bool) -> list[str]:
    words = label.split(" ")
    return [" ".join(words[n:]) for n in range(len(words))] if is_inner else [label]


def asked_ordinal(question: Question) -> int | None:
    """Return N when a question asks for the N-th item (第2条, the second measure), else None."""
    match = _ORDINAL.search(question.normalised)
    if match:
        return whole_number(match[1])
    english = _ENGLISH_ORDINAL.search(question.normalised)
    if english:
        return int(english[1]) if english[1] else _ENGLISH_ORDINALS[english[2]]
    return None


def names_ordinal(text: str, question: Question) -> bool:
    """True when a text holds the "第2条" of the question in the same words."""
    match = _ORDINAL.search(question.normalised)
    return match is not None and match.group() in normalise(text)


def items_numbered(
    text: str, units: Sequence[Unit], number: int
) -> Iterator[tuple[TextSpan, frozenset[str]]]:
    """Yield the span of each item with that number and the terms of what introduces its list."""
    for index, unit in enumerate(units):
        if unit.kind is UnitKind.HEADING or item_number(unit.span.of(text)) != number:
            continue
        yield _item_span(text, units, index), _introduction(text, units, index)


def asks_for_list(question: Question) -> bool:
    """True when a question asks for all items of a list (哪些措施, which measures)."""
    return bool(_LIST_WORDS.search(question.normalised))


def lists_under(text: str, units: Sequence[Unit]) -> Iterator[tuple[TextSpan, frozenset[str]]]:
    """Yield the span of each numbered list of two items or more and its introduction's terms."""
    starts = [n for n, unit in enumerate(units) if item_number(unit.span.of(text)) == 1]
    for first in starts:
        last, number = first, 1
        for index in range(first + 1, len(units)):
            if item_number(units[index].span.of(text)) != number + 1:
                break
            last, number = index, number + 1
        span = TextSpan(units[first].span.start, units[last].span.end)
        if last > first and len(span) <= MAX_LIST_CHARS:
            yield span, _introduction(text, units, first)


def item_words(item: str) -> str:
    """Return an item without its number and its end mark."""
    return _ITEM_MARK.sub("", item, count=1).rstrip("；;。.， ")


def _item_span(text: str, units: Sequence[Unit], index: int) -> TextSpan:
    """An item goes on over the sentences of its own paragraph; an article over its paragraphs."""
    span = units[index].span
    is_article = span.of(text).startswith("第")
    for unit in units[index + 1 :]:
        words = unit.span.of(text)
        stops = unit.kind is UnitKind.HEADING or item_number(words) is not None
        breaks = "\n" in text[span.end : unit.span.start] and not is_article
        if stops or breaks or unit.span.end - span.start > MAX_ITEM_CHARS:
            break
        span = TextSpan(span.start, unit.span.end)
    return span


def _introduction(text: str, units: Sequence[Unit], index: int) -> frozenset[str]:
    for unit in reversed(units[:index]):
        words = unit.span.of(text)
        if unit.kind is UnitKind.HEADING or item_number(words) is None:
            return text_terms(words)
    return frozenset()
