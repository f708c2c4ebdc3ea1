"""A number as a cell shows it: Excel's number formats (ECMA-376 part 1, 18.8.31).

Knows format codes and numbers; knows no cells. Colours and widths are left out, names of months and
days are English; what is not understood is shown as `General` shows it, with all its digits.
"""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

from kb_service.language.lexicon import CJK

GENERAL = "General"
ISO_DATE = "yyyy-mm-dd"
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    14: ISO_DATE, 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: f"{ISO_DATE} h:mm", 27: ISO_DATE, 28: ISO_DATE, 29: ISO_DATE,
    30: ISO_DATE, 31: ISO_DATE, 32: "h:mm", 33: "h:mm:ss", 34: "h:mm", 35: "h:mm:ss", 36: ISO_DATE,
    37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@", 50: ISO_DATE,
    51: ISO_DATE, 52: ISO_DATE, 53: ISO_DATE, 54: ISO_DATE, 55: "h:mm", 56: "h:mm:ss", 57: ISO_DATE,
    58: ISO_DATE,
}  # fmt: skip
"""Formats by number; those that follow the country of the program are shown as ISO 8601."""

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)[^\]]*\]'
    r"|\[(?P<elapsed>h+|m+|s+)\]|\[(?P<test>[<>=]+ ?-?[\d.]+)\]|\[[^\]]*\]"
    rf"|(?P<half>AM/PM|A/P|[{CJK}]{{2}}/[{CJK}]{{2}})"
    r"|(?P<exponent>E[+-]0+)|(?P<date>y+|m+|d+|h+|s+(?:\.0+)?|e+|a{3,4})"
    r"|(?P<digit>[0#?])|(?P<point>\.)|(?P<comma>,)|(?P<percent>%)"
    r"|(?P<text>@)|(?P<general>General)|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
_MAX_SERIAL = 2_958_466
"""The last day of the year 9999."""
_DAY_S = 86_400
_LEAP_DAY = 60
"""The 29th of February 1900, which never was; serial numbers before it are one day off."""

Token = tuple[str, str]


def shown(value: float, code: str = GENERAL, *, from_1904: bool = False) -> str:
    """Return a number as its cell shows it. `from_1904`: days count from the Mac's epoch."""
    tokens, is_bare = _section(value, code)
    kinds = {kind for kind, _ in tokens}
    words = "".join(
        general(value) if kind == "general" else text for kind, text in tokens if kind != "test"
    )
    if not kinds - {"literal", "general", "test"}:
        return words.strip() or general(value)
    if kinds & {"date", "elapsed", "half"}:
        return _date(value, tokens, from_1904=from_1904)
    if ("literal", "/") in tokens or not kinds & {"digit", "exponent", "percent"}:
        return general(value)
    number = abs(value) if is_bare else value
    return _scientific(number, tokens) if "exponent" in kinds else _decimal(number, tokens)


def general(value: float) -> str:
    """Return a number with all the digits that a sheet keeps of it: fifteen."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.15g}"


def _section(value: float, code: str) -> tuple[tuple[Token, ...], bool]:
    """The tokens of the part for such numbers; True where that part shows no sign by itself."""
    sections = _sections(code)
    for tokens in sections:
        test = next((text for kind, text in tokens if kind == "test"), "")
        if test:
            if _holds(value, test):
                return tokens, False
        elif any(kind == "test" for other in sections for kind, _ in other):
            return tokens, False
    if value < 0 and len(sections) > 1:
        return sections[1], True
    if value == 0 and len(sections) > 2:
        return sections[2], False
    return sections[0], False


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[tuple[Token, ...], ...]:
    sections: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup or "", match.group(match.lastgroup or 0)
        if (kind, text) == ("literal", ";"):
            sections.append([])
        elif kind in ("quoted", "escaped", "currency"):
            sections[-1] += [("literal", character) for character in text]
        elif kind:
            sections[-1].append((kind, text))
    return tuple(map(tuple, sections))


def _holds(value: float, test: str) -> bool:
    sign, limit = re.match(r"([<>=]+) ?(.*)", test).groups()  # type: ignore[union-attr] # by _TOKEN
    compared = (value > float(limit)) - (value < float(limit))
    return compared in {
        ">": (1,), "<": (-1,), "=": (0,), ">=": (0, 1), "<=": (0, -1), "<>": (1, -1),
    }.get(sign, ())  # fmt: skip


_EVERY_DIGIT = Context(prec=400)
"""A cell's number has at most 309 digits before its point; the default keeps 28 and raises."""


def _decimal(value: float, tokens: tuple[Token, ...]) -> str:
    """Digits from the right into their places; what stands between them stays there."""
    percents = sum(kind == "percent" for kind, _ in tokens)
    last_digit = max((n for n, (kind, _) in enumerate(tokens) if kind == "digit"), default=-1)
    thousands = 0
    while (
        last_digit + thousands + 1 < len(tokens)
        and tokens[last_digit + thousands + 1][0] == "comma"
    ):
        thousands += 1
    point = next((n for n, (kind, _) in enumerate(tokens) if kind == "point"), len(tokens))
    after = [text for kind, text in tokens[point:] if kind == "digit"]
    number = Decimal(repr(value)).scaleb(2 * percents - 3 * thousands)
    number = number.quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP, _EVERY_DIGIT)
    whole, _, fraction = f"{abs(number):f}".partition(".")
    while fraction and after and after[len(fraction) - 1] == "#" and fraction.endswith("0"):
        fraction = fraction[:-1]
    is_grouped = any(kind == "comma" for kind, _ in tokens[:last_digit])
    shown_whole = _whole(whole.lstrip("0"), tokens[:point], is_grouped=is_grouped)
    pieces = [_after(tokens[point:], fraction)] if point < len(tokens) else []
    return ("-" if number < 0 else "") + shown_whole + "".join(pieces)


def _whole(digits: str, tokens: tuple[Token, ...], *, is_grouped: bool) -> str:
    pieces: list[str] = []
    left = list(digits)
    num_places = sum(kind == "digit" for kind, _ in tokens)
    count = 0
    for kind, text in reversed(tokens):
        if kind == "digit":
            num_places -= 1
            while True:
                digit = left.pop() if left else ("0" if text == "0" else "")
                if digit and is_grouped and count and count % 3 == 0:
                    pieces.append(",")
                pieces.append(digit)
                count += bool(digit)
                if num_places or not left:
                    break
        elif kind in ("literal", "percent"):
            pieces.append(text)
    return "".join(reversed(pieces))


def _after(tokens: tuple[Token, ...], fraction: str) -> str:
    pieces: list[str] = []
    left = list(fraction)
    for kind, text in tokens:
        if kind == "digit":
            pieces.append(left.pop(0) if left else "")
        elif kind == "point":
            pieces.append("." if left else "")
        elif kind in ("literal", "percent"):
            pieces.append(text)
    return "".join(pieces)


def _scientific(value: float, tokens: tuple[Token, ...]) -> str:
    point = next((n for n, (kind, _) in enumerate(tokens) if kind == "point"), len(tokens))
    mark = next(text for kind, text in tokens if kind == "exponent")
    end = next(n for n, (kind, _) in enumerate(tokens) if kind == "exponent")
    decimals = sum(kind == "digit" for kind, _ in tokens[point:end])
    mantissa, _, exponent = f"{value:.{decimals}E}".partition("E")
    power = int(exponent)
    sign = "-" if power < 0 else "+" if mark[1] == "+" else ""
    return f"{mantissa}E{sign}{abs(power):0{len(mark) - 2}}"


def _date(value: float, tokens: tuple[Token, ...], *, from_1904: bool) -> str:
    if not 0 <= value < _MAX_SERIAL:
        return general(value)
    has_fraction = any("." in text for kind, text in tokens if kind == "date")
    seconds = round(value * _DAY_S, 3) if has_fraction else round(value * _DAY_S)
    days = int(seconds // _DAY_S)
    epoch = dt.datetime(1904, 1, 1) if from_1904 else dt.datetime(1899, 12, 30)  # noqa: DTZ001
    moment = epoch + dt.timedelta(seconds=seconds)
    if not from_1904 and 0 < days < _LEAP_DAY:
        moment += dt.timedelta(days=1)
    is_halved = any(kind == "half" for kind, _ in tokens)
    pieces: list[str] = []
    for place, (kind, text) in enumerate(tokens):
        if kind == "elapsed":
            size = {"h": 3600, "m": 60, "s": 1}[text[0].lower()]
            pieces.append(f"{int(seconds // size):0{len(text)}}")
        elif kind == "half":
            early, late = text.split("/")
            pieces.append(early if moment.hour < 12 else late)
        elif kind == "date":
            pieces.append(_part(moment, text.lower(), tokens, place, is_halved=is_halved))
        elif kind in ("literal", "comma", "point"):
            pieces.append(text)
    return "".join(pieces)


def _part(
    moment: dt.datetime, text: str, tokens: tuple[Token, ...], place: int, *, is_halved: bool
) -> str:
    letter, width = text[0], len(text)
    if letter == "m" and _is_minutes(tokens, place):
        return f"{moment.minute:0{min(width, 2)}}"
    if letter == "s":
        decimals = len(text.partition(".")[2])
        second = moment.second + moment.microsecond / 1e6
        size = len(text.partition(".")[0]) + (decimals + 1 if decimals else 0)
        return f"{second:0{size}.{decimals}f}"
    if letter in "ye":
        return f"{moment.year % 100:02}" if letter == "y" and width < 3 else str(moment.year)
    if letter == "h":
        hour = (moment.hour + 11) % 12 + 1 if is_halved else moment.hour
        return f"{hour:0{min(width, 2)}}"
    if letter == "a" or (letter == "d" and width > 2):
        return moment.strftime("%A" if width > 3 else "%a")
    if letter == "d":
        return f"{moment.day:0{width}}"
    if width > 2:
        return moment.strftime("%B" if width == 4 else "%b")[: 1 if width == 5 else None]
    return f"{moment.month:0{width}}"


def _is_minutes(tokens: tuple[Token, ...], place: int) -> bool:
    """True for an `m` after hours or before seconds; else it is a month."""
    parts = [n for n, (kind, _) in enumerate(tokens) if kind in ("date", "elapsed")]
    own = parts.index(place)
    before = tokens[parts[own - 1]][1].lower() if own else ""
    after = tokens[parts[own + 1]][1].lower() if own + 1 < len(parts) else ""
    return before.startswith("h") or after.startswith("s")
