"""How near an answer's words are to the gold words: exact match, two kinds of F1, containment.

Pure functions on strings; each takes the best of several gold answers. Knows no passages.
"""

import re
from collections import Counter
from collections.abc import Sequence

from kb_service.language.lexicon import CJK
from kb_service.language.text import normalise

_TOKEN = re.compile(
    # A number keeps its inner marks (12,600 and 3.5), a word its apostrophe.
    f"[{CJK}]|\\d+(?:[.,]\\d+)+(?![^\\W_{CJK}])|[^\\W_{CJK}]+(?:['’](?=[a-z])[^\\W_{CJK}]+)?"
)
_BOTH = re.compile(r"(?<=\S\S)&(?=\S\S)")
_ARTICLES = frozenset(("a", "an", "the"))


def tokens_of(text: str) -> list[str]:
    """Return CJK characters one by one, Latin words and numbers whole, without punctuation.

    After NFKC and case folding, as the CMRC 2018 evaluation splits mixed text. A text of marks
    alone (%, ±) gives its marks, so that it can still be matched.
    """
    plain = normalise(text)
    return _TOKEN.findall(plain) or list("".join(plain.split()))


def exact_match(prediction: str, golds: Sequence[str]) -> float:
    """Return 1.0 when the answer has the words of a gold one, punctuation aside, else 0.0.

    English articles do not count, as in the SQuAD evaluation. 0.0 without gold answers.
    """
    said = _words(prediction)
    return float(bool(said) and any(said == _words(gold) for gold in golds))


def substring_f1(prediction: str, golds: Sequence[str]) -> float:
    """Return the F1 of CMRC 2018 (Cui et al. 2019): overlap is the longest common run of tokens.

    precision = run / answer tokens, recall = run / gold tokens. 0.0 without gold answers.
    """
    said = tokens_of(prediction)
    return max((_run_f1(said, tokens_of(gold)) for gold in golds), default=0.0)


def bag_f1(prediction: str, golds: Sequence[str]) -> float:
    """Return the F1 over the tokens as multisets: words as in SQuAD, characters as in LongBench.

    Unlike `substring_f1`, order and gaps do not count. 0.0 without gold answers.
    """
    said = Counter(_words(prediction))
    return max((_bag_f1(said, Counter(_words(gold))) for gold in golds), default=0.0)


def contains(answer: str, golds: Sequence[str]) -> bool:
    """True when some gold answer stands in the answer; case, white space and width do not count."""
    return stands_in([answer], golds)


def stands_in(texts: Sequence[str], golds: Sequence[str]) -> bool:
    """True when every part of some gold answer stands whole in one of the texts.

    `a&b` has two parts; the mark of a name (AT&T, Smith & Sons) parts nothing.
    """
    there = [compact(text) for text in texts]
    wanted = [[compact(part) for part in _BOTH.split(gold)] for gold in golds]
    return any(
        all(part and any(part in text for text in there) for part in parts) for parts in wanted
    )


def compact(text: str) -> str:
    """Return the normalised text without white space."""
    return "".join(normalise(text).split())


def _words(text: str) -> list[str]:
    tokens = tokens_of(text)
    return [token for token in tokens if token not in _ARTICLES] or tokens


def _run_f1(left: Sequence[str], right: Sequence[str]) -> float:
    longest, before = 0, [0] * (len(right) + 1)
    for a in left:
        row = [0] + [run + 1 if a == b else 0 for b, run in zip(right, before, strict=False)]
        longest = max(longest, *row)
        before = row
    # 2PR / (P + R) with P = run / |left| and R = run / |right|.
    return 2 * longest / (len(left) + len(right)) if longest else 0.0


def _bag_f1(left: Counter[str], right: Counter[str]) -> float:
    shared = (left & right).total()
    return 2 * shared / (left.total() + right.total()) if shared else 0.0
