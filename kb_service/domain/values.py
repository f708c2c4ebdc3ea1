"""The checkable values of a sentence: numbers, dates, times, names and identifiers.

Pure functions on strings: two ways to write one value (2024年8月17日, 2024-08-17) come out equal.
Knows nothing of documents; decides nothing.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

from kb_service.domain.numerals import cjk_number, whole_number
from kb_service.domain.text import CJK, normalise

_MONTH_NAMES = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, 1)}
_MONTHS |= {name[:3]: n for n, name in enumerate(_MONTH_NAMES, 1)} | {"sept": 9}
_MON = "(?P<m>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_N = "[0-9零〇一二三四五六七八九十]"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_DATES = (
    re.compile(
        rf"(?P<y>{_N}{{2,4}})\s*年(?!代)(?:\s*(?P<m>{_N}{{1,3}})\s*月(?:\s*(?P<d>{_N}{{1,3}})\s*[日号])?)?"
    ),
    re.compile(rf"(?P<m>{_N}{{1,3}})\s*月\s*(?P<d>{_N}{{1,3}})\s*[日号]"),
    re.compile(
        r"(?<![\w-])(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:(?=t\d)|(?![\w-]))"
    ),
    re.compile(r"(?<![\w/])(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})(?![\w/])"),
    re.compile(rf"\b{_MON}\s+{_DAY}\b(?:,?\s+(?P<y>\d{{4}}))?\b"),
    re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MON}(?:,?\s+(?P<y>\d{{4}}))?\b"),
    re.compile(rf"\b{_MON}\s+(?P<y>\d{{4}})\b"),
)
# File names: 20150803-Kafka, report_20240817.
_NAME_DATE = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d)"
)
_TIMES = (
    re.compile(r"(?P<h>\d{1,2})\s*[时点](?![间候])\s*(?:(?P<min>\d{1,2})\s*分(?!钟))?"),
    re.compile(r"(?<![\d:])t?(?P<h>\d{1,2}):(?P<min>\d{2})(?::\d{2})?(?:\s*(?P<half>[ap])\.?m\b)?"),
    re.compile(r"(?<![\d:])(?P<h>\d{1,2})\s*(?P<half>[ap])\.?m\b"),
)
_TOKEN = re.compile(r"(?<![a-z0-9])[a-z0-9]+(?:[-_/.:@][a-z0-9]+)*")
# 10km, 3rd, 1,500-foot: a number with its unit, not an identifier.
_NUMBER_WITH_UNIT = re.compile(r"\d[\d.]*(?:[a-z]{1,3}|hours?|miles?|feet)?(?:-[a-z]+)*")
_SCALES = {
    "百万": 10**6, "千万": 10**7, "万亿": 10**12, "万": 10**4, "亿": 10**8, "千": 1000,
    "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?P<before>百分之)?(?<![\d.])(?P<digits>\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\s*(?P<scale>百万|千万|万亿|万|亿|千(?![克米瓦])|thousand|million|billion|trillion)?"
    r"\s*(?P<percent>%|percent|per cent)?"
)
_CJK_DIGITS = "[十百千零〇一二两三四五六七八九]"
_CJK_PERCENT = re.compile(
    f"(?P<before>百分之)(?P<digits>{_CJK_DIGITS}+)(?P<scale>$)?(?P<percent>$)?"
)
_CJK_NUMBER = re.compile(
    f"(?<!{_CJK_DIGITS})(?P<digits>{_CJK_DIGITS}+)(?P<scale>万亿|万|亿)?(?P<before>$)?(?P<percent>$)?"
    "(?=[个人名次条项岁年月日天小分秒元吨米台辆家所座件只位种层级届]|$)"
)
_ENGLISH_NUMBERS = {
    word: str(n)
    for n, word in enumerate(
        [
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        start=2,
    )
}
_ENGLISH_NUMBER = re.compile(r"\b(?:" + "|".join(_ENGLISH_NUMBERS) + r")\b")
_CALENDAR = {
    *_MONTHS,
    *["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "i"],
}
_CAPITALISED = re.compile(r"(?<![\w-])[A-Z][\w’'-]*[\w]")
_WORK_TITLE = re.compile(r"《([^》]{1,60})》")
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶"
    "阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段钱汤尹黎易常武乔贺赖龚文褚"
)
_ANONYMISED = re.compile(f"[{_SURNAMES}]某[{CJK}]?")
_AFTER_ROLE = re.compile(
    "(?:负责人|局长|主任|经理|厂长|队长|组长|班长|所长|校长|院长|司机|驾驶员|员工|民警|医生|教授)"
    f"([{_SURNAMES}][{CJK}]{{1,2}})(?=[{CJK}]{{0,1}}[，。、；的在于是和与]|$)"
)
_NEGATION = re.compile(r"[未没无不非否]|\b(?:not|no|never|none|without|cannot)\b|n['’]t\b")
# Words in which the character does not negate.
_NOT_NEGATING = re.compile(r"不仅|不但|不断|不久|无论|不管|非常|否则|不锈|无线|是否|能否")


def stated_values(text: str) -> frozenset[str]:
    """Return the values a sentence claims, each in its most specific form.

    Forms: `date:2024-8-17`, `time:18:12`, `id:sg-2024-001`, `num:5600000`, `num:35%`, `name:…`. A
    bare year is a number, because nothing tells the two apart.
    """
    found = {value for value, _ in _dates_times_numbers(text)}
    return frozenset(found | set(names_in(text)))


def supporting_values(text: str) -> frozenset[str]:
    """Return every value that a source states or implies: a full date implies its month and year.

    Names are not listed: `is_supported` looks them up as words.
    """
    found: set[str] = set()
    for value, parts in _dates_times_numbers(text):
        found.add(value)
        found.update(parts)
    return frozenset(found)


def dates_in_title(title: str) -> frozenset[str]:
    """Return what the dates of a title or file name state and imply; empty without a dated year.

    Digits run together (20150803) are read as a date here only: in a text they may be any number.
    """
    patterns = (_NAME_DATE, *_DATES)
    found = [match for pattern in patterns for match in pattern.finditer(normalise(title))]
    values = [value for match in found if (value := _date(match)) and match.groupdict().get("y")]
    return frozenset(v for value, implied in values for v in (value, *implied))


def dates_asked(question: str) -> frozenset[str]:
    """Return the dates, months and years that a question fixes, as `stated_values` writes them."""
    return frozenset(
        value
        for value in stated_values(question)
        if value.startswith("date:") or re.fullmatch(r"num:(?:1[5-9]|20)\d\d", value)
    )


def missing_values(sentence: str, sources: str) -> frozenset[str]:
    """Return the values of a sentence that its sources do not state; empty when all are there."""
    stated = stated_values(sentence)
    rest = stated - supporting_values(sources)
    compact = _compact(sources)
    return frozenset(
        value
        for value in rest
        if not (value.startswith(("name:", "id:")) and _compact(value.split(":", 1)[1]) in compact)
    )


def identifiers_in(text: str) -> tuple[str, ...]:
    """Return the identifiers (letters with digits: SG-2024-001, N5921D), case-folded, in order."""
    found: dict[str, None] = {}
    for match in _TOKEN.finditer(normalise(text)):
        if _is_identifier(match.group()):
            found[match.group()] = None
    return tuple(found)


def without_fixed_values(text: str) -> str:
    """Return the normalised text without identifiers and dates; bare years and numbers stay."""
    rest = normalise(text)
    for pattern in _DATES:
        for match in reversed(list(pattern.finditer(rest))):
            value = _date(match)
            if value and value[0].startswith("date:"):
                rest = f"{rest[: match.start()]} {rest[match.end() :]}"
    for identifier in identifiers_in(rest):
        rest = rest.replace(identifier, " ")
    return rest


def names_in(text: str) -> list[str]:
    """Return `name:…` for words that look like names.

    Latin: a capitalised word that does not begin the sentence (or is followed by another one).
    Chinese: titles in 《》, 某-style names, and names after a role word. Other Chinese names
    cannot be told from words without a dictionary; the wording overlap has to catch them.
    """
    names = [match.group(1) for match in _WORK_TITLE.finditer(text)]
    names += [match.group()[:2] for match in _ANONYMISED.finditer(text)]
    names += [match.group(1)[:2] for match in _AFTER_ROLE.finditer(text)]
    for match in _CAPITALISED.finditer(text):
        begins = not text[: match.start()].strip(" \"'“”‘’([*_") or bool(
            re.search(r"[.!?:]\s*[\"'“”‘’(\[]*$", text[: match.start()])
        )
        word = normalise(match.group())
        if word in _CALENDAR or any(c.isdigit() for c in word):
            continue
        if not begins or re.match(r"\s+[A-Z][a-z]", text[match.end() :]):
            names.append(match.group())
    return [f"name:{normalise(name)}" for name in names]


def negates(text: str) -> bool:
    """True when the sentence holds a word of negation."""
    return bool(_NEGATION.search(_NOT_NEGATING.sub("", normalise(text))))


def _dates_times_numbers(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each value with the weaker values it implies; a stretch is read once, dates first."""
    rest = normalise(text)
    readers: tuple[tuple[tuple[re.Pattern[str], ...], _Reader], ...] = (
        (_DATES, _date),
        (_TIMES, _time),
        ((_TOKEN,), _identifier),
        ((_NUMBER, _CJK_PERCENT, _CJK_NUMBER), _number),
        ((_ENGLISH_NUMBER,), _english_number),
    )
    for patterns, read in readers:
        for pattern in patterns:
            for match in reversed(list(pattern.finditer(rest))):
                value = read(match)
                if value:
                    yield value
                    blank = " " * len(match.group())
                    rest = rest[: match.start()] + blank + rest[match.end() :]


_Reader = Callable[[re.Match[str]], tuple[str, tuple[str, ...]] | None]


def _date(match: re.Match[str]) -> tuple[str, tuple[str, ...]] | None:
    groups = match.groupdict()
    year, month, day = (_whole(groups.get(key)) for key in ("y", "m", "d"))
    if (month and month > 12) or (day and day > 31):
        return None
    if not month:
        return (f"num:{year}", ()) if year is not None else None
    monthly = f"{month}-{day}" if day else f"{month}"
    implied = [f"date:{monthly}", f"date:{month}"]
    if year is None:
        return f"date:{monthly}", tuple(implied)
    implied += [f"num:{year}", f"date:{year}-{month}"]
    return f"date:{year}-{monthly}", tuple(implied)


def _whole(digits: str | None) -> int | None:
    if not digits:
        return None
    return _MONTHS.get(digits) or whole_number(digits)


def _time(match: re.Match[str]) -> tuple[str, tuple[str, ...]] | None:
    groups = match.groupdict()
    hour, minute = int(groups["h"]), int(groups.get("min") or 0)
    if hour > 24 or minute > 59:
        return None
    half = groups.get("half")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"time:{hour}:{minute:02}", (f"time:{hour}",)


def _identifier(match: re.Match[str]) -> tuple[str, tuple[str, ...]] | None:
    return (f"id:{match.group()}", ()) if _is_identifier(match.group()) else None


def _is_identifier(token: str) -> bool:
    has_both = any(c.isalpha() for c in token) and any(c.isdigit() for c in token)
    return has_both and _NUMBER_WITH_UNIT.fullmatch(token) is None


def _number(match: re.Match[str]) -> tuple[str, tuple[str, ...]] | None:
    digits = match["digits"].replace(",", "")
    number = Decimal(digits) if digits[0].isdigit() and digits.isascii() else None
    if number is None:
        whole = cjk_number(digits)
        if whole is None:
            return None
        number = Decimal(whole)
    number *= _SCALES.get(match["scale"] or "", 1)
    text = f"{number.normalize():f}"
    return f"num:{text}{'%' if match['before'] or match['percent'] else ''}", ()


def _english_number(match: re.Match[str]) -> tuple[str, tuple[str, ...]] | None:
    return f"num:{_ENGLISH_NUMBERS[match.group()]}", ()


def _compact(text: str) -> str:
    return re.sub(r"\s+", "", normalise(text))
