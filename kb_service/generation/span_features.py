"""What tells the answer's words from the rest of a sentence: features of boundaries and spans.

Pure functions on strings. A feature is a string such as `zh.date|p1=于` (a question for a date, the
token before is 于); knows no weights and chooses nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kb_service.domain.questions import AnswerType, Question
from kb_service.domain.spans import TextSpan
from kb_service.generation.typed_spans import answer_words, matches_of
from kb_service.language.lexicon import CJK
from kb_service.language.questions import content_terms, stem
from kb_service.language.text import normalise

MAX_LENGTHS = {"zh": 32, "en": 14}
"""Longest span in tokens, by language."""

_TOKEN = re.compile(f"[{CJK}]|\\d+(?:[.,]\\d+)*|[^\\W\\d_{CJK}]+(?:['’-][^\\W\\d_{CJK}]+)*|\\S")
_OPENS, _CLOSES = "《“「『(（\"'‘[$£€¥#", "》”」』)）\"'’]%°℃+"
_ENDS_CLAUSE = "，。；！？：,;!?:"
_WH = {
    "zh": re.compile(
        "为什么|为何|因何|怎么样|怎么|怎样|如何|什么时候|什么时间|何时|何地|何处|何人|何种|"
        "哪里|哪儿|哪[些几]?[一-龥]?|什么|多少|几|多[大长久高远重深宽]|谁|何"
    ),
    "en": re.compile(
        r"\b(?:how (?:many|much|long|often|old|far|big|large|tall|high|deep|fast)|"
        r"what (?:kind|type|sort)s? of|what|which|who|whom|whose|when|where|why|how)\b"
    ),
}
_ASPECTS = "了的着过会将曾被所而时人里"


@dataclass(frozen=True, slots=True)
class Token:
    """A CJK character, word, number or mark; `text` is normalised, the span is in the sentence."""

    text: str
    shape: str
    span: TextSpan


@dataclass(frozen=True, slots=True)
class AskedWords:
    """A question as the features see it.

    `left` and `right`: its tokens before and after the question word; `head`: what that word
    asks for, as the tokens next to it.
    """

    question: Question
    wh: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    words: frozenset[str]
    content: frozenset[str]
    pairs: frozenset[tuple[str, str]]

    @property
    def kind(self) -> AnswerType:
        """The type of answer that it asks for."""
        return self.question.kind

    @property
    def language(self) -> str:
        """The language that it is asked in."""
        return self.question.language

    @property
    def key(self) -> str:
        """Language and type of answer, in front of every feature."""
        return f"{self.language}.{self.kind.value}"

    @property
    def head(self) -> tuple[str, ...]:
        """The tokens behind the question word: 学院 of 哪所学院."""
        return self.right[:2]


@dataclass(frozen=True, slots=True)
class Features:
    """Features of a sentence: of each token as the first and as the last word of the answer.

    `named`: features of single spans (first token, last token); `asked` and `marks`: per token, 1
    when it stands in the question and when it is punctuation.
    """

    tokens: tuple[Token, ...]
    first: list[list[str]]
    last: list[list[str]]
    named: dict[tuple[int, int], list[str]]
    asked: list[int]
    marks: list[int]


def asked_words(question: Question) -> AskedWords:
    """Return a question as the features see it."""
    text = question.normalised
    language = question.language
    found = _WH[language].search(text)
    before, after = (text[: found.start()], text[found.end() :]) if found else (text, "")
    left = tuple(token.text for token in tokens_of(before))
    right = tuple(token.text for token in tokens_of(after) if token.shape != "p")
    if language == "zh":
        while right and right[0] in _ASPECTS:
            right = right[1:]
    words = [stem(token.text) for token in tokens_of(text) if token.shape != "p"]
    return AskedWords(
        question,
        found.group() if found else "",
        left,
        right,
        frozenset(words),
        frozenset(stem(term) for term in content_terms(text)),
        frozenset(pairwise(words)),
    )


def tokens_of(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text in order; white space belongs to none."""
    return tuple(_token(match) for match in _TOKEN.finditer(text))


def _token(match: re.Match[str]) -> Token:
    raw = match.group()
    return Token(normalise(raw), _shape(raw), TextSpan(*match.span()))


def _shape(raw: str) -> str:
    if raw[0].isdigit():
        return "y" if len(raw) == 4 and raw.isdigit() else "d"
    if re.match(f"[{CJK}]", raw):
        return "n" if raw in "零〇一二两三四五六七八九十百千万亿" else "c"
    if raw[0].isalpha():
        return "A" if raw.isupper() else "C" if raw[0].isupper() else "w"
    return "p"


def features_of(asked: AskedWords, text: str) -> Features:
    """Return all features of one sentence for one question."""
    tokens = tokens_of(text)
    words = [stem(token.text) for token in tokens]
    seen = [int(word in asked.content) for word in words]
    inner = [pair in asked.pairs for pair in pairwise(words)]
    clauses = _clause_shares(asked, tokens, words)
    near = _distances(seen)
    spans = _named_spans(asked, text, tokens)
    line = _Line(asked, tokens, words, seen, inner, clauses, near)
    first = [list(line.first(n)) for n in range(len(tokens))]
    last = [list(line.last(n)) for n in range(len(tokens))]
    key = asked.key
    for (start, end), names in spans.items():
        for name in names:
            first[start].append(f"{key}|from={name}")
            last[end].append(f"{key}|to={name}")
    return Features(
        tokens,
        [sorted(set(found)) for found in first],
        [sorted(set(found)) for found in last],
        {place: [f"{key}|is={name}" for name in names] for place, names in spans.items()},
        seen,
        [int(token.shape == "p") for token in tokens],
    )


def span_names(asked: AskedWords, features: Features, first: int, last: int) -> list[str]:
    """Return the features of one span of a sentence; none when it holds punctuation alone."""
    num_marks = sum(features.marks[first : last + 1])
    num_words = last + 1 - first - num_marks
    if not num_words:
        return []
    num_asked = sum(features.asked[first : last + 1])
    level = min(4, -(-4 * num_asked // num_words))  # quarters, rounded up
    length = _length_level(last + 1 - first)
    return [
        f"{asked.key}|len={length}",
        f"{asked.language}.{asked.wh}|len={length}",
        f"{asked.key}|in={level}",
        f"{asked.key}|pun={min(num_marks, 3)}",
        *features.named.get((first, last), ()),
    ]


def _length_level(length: int) -> int:
    if length <= 12:
        return length
    return 12 + (length - 11) // 3 if length <= 24 else 17


def may_begin(token: Token) -> bool:
    """True when an answer can begin with that token."""
    return token.shape != "p" or token.text in _OPENS


def may_end(token: Token) -> bool:
    """True when an answer can end with that token."""
    return token.shape != "p" or token.text in _CLOSES


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence laid beside its question."""

    asked: AskedWords
    tokens: Sequence[Token]
    words: Sequence[str]
    seen: Sequence[int]
    inner: Sequence[bool]
    clauses: Sequence[str]
    near: Sequence[tuple[int, int]]

    def first(self, n: int) -> Iterator[str]:
        key, wh = self.asked.key, f"{self.asked.language}.{self.asked.wh}"
        token, before, two = self._word(n), self._word(n - 1), self._word(n - 2)
        yield f"{key}|p1={before}"
        yield f"{key}|p2={two} {before}"
        yield f"{key}|f1={token}"
        yield f"{key}|f2={token} {self._word(n + 1)}"
        yield f"{wh}|p1={before}"
        yield f"{wh}|f1={token}"
        yield f"{key}|fs={self._shape(n - 1)}{self._shape(n)}{self._shape(n + 1)}"
        yield f"{key}|fq={self._is_seen(n - 1)}{self._is_seen(n)}{int(n > 0 and self.inner[n - 1])}"
        yield f"{key}|fa={self._aligned_left(n)}"
        yield f"{key}|fr={self._run_before(n)}"
        yield f"{key}|fc={self.clauses[n]}"
        yield f"{key}|fd={_bucket(self.near[n][0])}"
        yield f"{key}|fh={self._head_before(n)}"

    def last(self, n: int) -> Iterator[str]:
        key, wh = self.asked.key, f"{self.asked.language}.{self.asked.wh}"
        token, after, two = self._word(n), self._word(n + 1), self._word(n + 2)
        yield f"{key}|n1={after}"
        yield f"{key}|n2={after} {two}"
        yield f"{key}|l1={token}"
        yield f"{key}|l2={self._word(n - 1)} {token}"
        yield f"{wh}|n1={after}"
        yield f"{wh}|l1={token}"
        yield f"{key}|ls={self._shape(n - 1)}{self._shape(n)}{self._shape(n + 1)}"
        is_inner = int(n < len(self.inner) and self.inner[n])
        yield f"{key}|lq={self._is_seen(n)}{self._is_seen(n + 1)}{is_inner}"
        yield f"{key}|la={self._aligned_right(n)}"
        yield f"{key}|lr={self._run_after(n)}"
        yield f"{key}|ld={_bucket(self.near[n][1])}"
        yield f"{key}|lh={self._ends_as_head(n)}"

    def _word(self, n: int) -> str:
        return self.tokens[n].text if 0 <= n < len(self.tokens) else "^"

    def _shape(self, n: int) -> str:
        return self.tokens[n].shape if 0 <= n < len(self.tokens) else "^"

    def _is_seen(self, n: int) -> int:
        return self.seen[n] if 0 <= n < len(self.seen) else 2

    def _aligned_left(self, n: int) -> int:
        """How many tokens before stand in the same order before the question word."""
        left, size = self.asked.left, 0
        while size < min(n, len(left), 5) and self._word(n - 1 - size) == left[-1 - size]:
            size += 1
        return size

    def _aligned_right(self, n: int) -> int:
        right, size = self.asked.right, 0
        rest = len(self.tokens) - n - 1
        while size < min(rest, len(right), 5) and self._word(n + 1 + size) == right[size]:
            size += 1
        return size

    def _run_before(self, n: int) -> int:
        size = 0
        while size < min(n - 1, 4) and self.inner[n - 2 - size]:
            size += 1
        return size

    def _run_after(self, n: int) -> int:
        size = 0
        while n + 1 + size < len(self.inner) and size < 4 and self.inner[n + 1 + size]:
            size += 1
        return size

    def _head_before(self, n: int) -> int:
        """1 when what the question word asks for stands right before: "the city of", 学校名为."""
        around = {self._word(n - 1), self._word(n - 2), self._word(n - 3)}
        return int(bool(self.asked.head) and self.asked.head[0] in around)

    def _ends_as_head(self, n: int) -> str:
        """Whether the last words are what is asked for: 哪所学院 → …学院, which river → … River."""
        head = self.asked.head
        if not head:
            return "-"
        if len(head) > 1 and (self._word(n - 1), self._word(n)) == head:
            return "2"
        return "1" if self._word(n) in head else "0"


def _named_spans(
    asked: AskedWords, text: str, tokens: Sequence[Token]
) -> dict[tuple[int, int], list[str]]:
    """Return what patterns and rules call a span, by its first and last token."""
    begins = {token.span.start: n for n, token in enumerate(tokens)}
    ends = {token.span.end: n for n, token in enumerate(tokens)}
    named: dict[tuple[int, int], list[str]] = {}

    def call(span: TextSpan, name: str) -> None:
        start, end = begins.get(span.start), ends.get(span.end)
        if start is not None and end is not None and start <= end:
            names = named.setdefault((start, end), [])
            if name not in names:
                names.append(name)

    for name, span in matches_of(asked.kind, text):
        call(span, name)
    rule = answer_words(asked.question, text)
    if rule:
        call(rule, "rule")
    return named


def _clause_shares(asked: AskedWords, tokens: Sequence[Token], words: Sequence[str]) -> list[str]:
    """Return for each token how much of the question its clause holds, in five levels."""
    levels: list[str] = []
    clause: list[str] = []
    size = max(1, len(asked.words))
    for token, word in zip(tokens, words, strict=True):
        clause.append(word)
        if token.text in _ENDS_CLAUSE:
            levels += [_share(len(asked.words & set(clause)) / size)] * len(clause)
            clause = []
    return levels + [_share(len(asked.words & set(clause)) / size)] * len(clause)


def _share(share: float) -> str:
    return str(min(4, int(share * 6)))


def _distances(seen: Sequence[int]) -> list[tuple[int, int]]:
    """Return for each token how far the nearest question words before and after it are."""
    before, after = [99] * len(seen), [99] * len(seen)
    for n in range(1, len(seen)):
        before[n] = 0 if seen[n - 1] else before[n - 1] + 1
    for n in range(len(seen) - 2, -1, -1):
        after[n] = 0 if seen[n + 1] else after[n + 1] + 1
    return list(zip(before, after, strict=True))


def _bucket(distance: int) -> str:
    return next((str(limit) for limit in (0, 1, 2, 4, 8, 16) if distance <= limit), "far")
