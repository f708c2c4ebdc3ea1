"""Whether a sentence that repeats a question's words says the opposite of what is asked.

Pure functions on a question and a string, Chinese and English. Two checks: what the question
denies, the sentence must deny or exclude; where the question has one word of a pair of opposites,
the sentence must not have the other one alone. Knows no passages and weighs nothing.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from kb_service.domain.questions import Question
from kb_service.language.text import normalise

_OPPOSITES_EN = """
accepted/rejected agree/disagree allowed/forbidden allowed/prohibited before/after began/ended
best/worst better/worse decrease/increase decreased/increased decreasing/increasing
earliest/latest east/west eastern/western external/internal female/male fewer/more fewest/most
higher/lower highest/lowest large/small larger/smaller largest/smallest least/most
legal/illegal less/more likely/unlikely longest/shortest low/high lower/upper majority/minority
maximum/minimum necessary/unnecessary negative/positive newest/oldest north/south
northeast/northwest/southeast/southwest northern/southern oldest/youngest oppose/support
opposed/supported poor/rich private/public summer/winter weak/strong weakest/strongest
"""
_OPPOSITES_ZH = """
最大/最小 最高/最低 最早/最晚 最长/最短 最多/最少 最好/最差 最强/最弱 最新/最旧 最远/最近 增加/减少
上升/下降 升高/降低 男性/女性 北部/南部 东部/西部 合法/非法 进口/出口 支持/反对 允许/禁止
公立/私立 左侧/右侧 上游/下游 夏季/冬季 多数/少数
"""
_DENIES_EN = re.compile(r"\b(?:not|never|no|none|without|cannot|except)\b|n['’]t\b")
# Words that deny or set apart without "not".
_SETS_APART_EN = re.compile(
    r"\b(?:not|never|no|nor|none|without|cannot|except|neither|lack\w*|few|little|rather|only|"
    r"unlike|instead|fail\w*|refus\w*|reject\w*|den(?:y|ied|ies)|prevent\w*|hardly|but|other than|"
    r"(?:un|in|im|ir|il|dis)\w+|\w+less|rare\w*|exclu\w*|absen\w*|avoid\w*|oppos\w*)\b|n['’]t\b"
)
_DENIES_ZH = re.compile("没有|并非|不(?:会|能|再|可|应)")
_ASKS_WHETHER_ZH = re.compile("有没有|会不会|能不能|可不可")
_SETS_APART_ZH = re.compile("[没不未无非否免除外仅只唯缺失拒禁反]|以外")
_WORD = re.compile(r"[a-z]+")


def says_opposite(question: Question, sentence: str) -> bool:
    """True when the sentence affirms what the question denies, or names the opposite alone."""
    asked, said = question.normalised, normalise(sentence)
    if question.language == "zh":
        denies = _DENIES_ZH.search(_ASKS_WHETHER_ZH.sub("", asked))
        is_denied = _SETS_APART_ZH.search(said)
        found = _found_zh(asked), _found_zh(said)
    else:
        denies, is_denied = _DENIES_EN.search(asked), _SETS_APART_EN.search(said)
        found = frozenset(_WORD.findall(asked)), frozenset(_WORD.findall(said))
    return bool(denies and not is_denied) or _has_opposite_alone(*found)


def _has_opposite_alone(asked: frozenset[str], said: frozenset[str]) -> bool:
    return any(
        _OPPOSITES[word] & said and not _OPPOSITES[word] & asked
        for word in asked - said
        if word in _OPPOSITES
    )


def _found_zh(text: str) -> frozenset[str]:
    return frozenset(word for word in _OPPOSITES if word in text)


def _opposites(listing: str) -> Mapping[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for group in listing.split():
        words = frozenset(group.split("/"))
        for word in words:
            found[word] |= words - {word}
    return {word: frozenset(others) for word, others in found.items()}


_OPPOSITES = _opposites(_OPPOSITES_EN + _OPPOSITES_ZH)
