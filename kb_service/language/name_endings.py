"""Whom and what a question is about: organisations and places by name, kinds of accidents.

Pure functions on strings, without a dictionary: a Chinese name is told by its ending, a Latin one
by its capital. Knows no documents; decides nothing.
"""

import re

from kb_service.domain.questions import Question
from kb_service.language.lexicon import CJK
from kb_service.language.names import names_in

_ORGANISATION = (
    "(?:(?:股份|有限|责任|集团|控股)*公司|集团|厂|中心|医院|学校|大学|学院|银行|仓库|物流园|工业园|"
    "超市|商场|酒店|煤矿|车站|电站)"
)
_AREA = "[省市县区州镇]"
# 哪家公司, 多少个县: an ending that is asked for names nothing.
_INDEFINITE = re.compile(
    f"(?:[哪那这某何各每两几]|什么|多少|一[家所个间座])[{CJK}]{{0,8}}?(?:{_ORGANISATION}|{_AREA})"
)
# What ends a stretch of CJK characters; a name may stand first in the next one.
_BREAK = re.compile(
    f"[^{CJK}]|[的了着在是与及或被把由对向从到于为因给该其此本我你您咱们贵号年月日时]|有(?!限)|和(?!国)|"
    "什么|请问|关于|发生|造成|导致"
)
# Two characters before the ending are mostly a sort of place: 保险公司, 数据中心, 大型超市.
_ORGANISED = re.compile(rf"(?:[{CJK}]{{2,3}}?{_AREA})*(?P<core>[{CJK}]{{3,8}}?){_ORGANISATION}")
# 石门县 but not 石门县长, 台中市 but not 大城市: the ending must be a word of its own.
_PLACED = re.compile(
    rf"(?P<core>[{CJK}]{{2,3}}?)(?<![城都省超])[省市县镇](?![长委场级民区政花容立])"
)
_POSSESSIVE = re.compile(r"['’]s?$")
_HAN = re.compile(f"[{CJK}]")


def subjects_in(normalised: str) -> tuple[str, ...]:
    """Return the Chinese organisations and places that a normalised text names, without endings.

    博源热力公司 and 博源热力有限公司 are both 博源热力. Only what begins its stretch (after a
    particle, a date or a mark) is a name: further in a verb may stand before it.
    """
    runs = _BREAK.sub("\n", _INDEFINITE.sub("\n", normalised)).split("\n")
    found = [pattern.match(run) for run in runs for pattern in (_PLACED, _ORGANISED)]
    return tuple(dict.fromkeys(match["core"] for match in found if match))


def names_asked(question: str) -> list[str]:
    """Return the capitalised words that do not begin the question, folded, without "'s"."""
    first, _, others = question.strip().partition(" ")
    names = names_in(f"{first.lower()} {others}")
    return [_POSSESSIVE.sub("", name.removeprefix("name:")) for name in names]


def latin_names(question: Question) -> tuple[str, ...]:
    """Return the distinct names asked that are not Chinese; none beside an identifier."""
    if question.identifiers:
        return ()
    return tuple(dict.fromkeys(name for name in question.names if not _HAN.search(name)))
