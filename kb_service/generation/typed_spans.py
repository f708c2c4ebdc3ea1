"""The words inside one sentence that a typed question asks for: a date, an amount, a name.

Pure functions, patterns only, Chinese and English. Knows one sentence and the question; chooses no
sentences.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from kb_service.domain.questions import AnswerType, Question
from kb_service.domain.spans import TextSpan
from kb_service.generation.slots import open_slot
from kb_service.language.lexicon import CJK
from kb_service.language.questions import stem
from kb_service.language.text import index_terms, normalise

_N = r"\d[\d,.]*"
_CN = "[零〇一二两三四五六七八九十百千]"
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_CAPS = r"[A-Z][\w’'.-]*"
_NAME = rf"{_CAPS}(?:\s+(?:{_CAPS}|of|de|la|the|von|van))*\s+{_CAPS}|{_CAPS}"
_SURNAME = (
    "[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶"
    "阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段钱汤尹黎易常武乔贺赖"
    "龚文褚尤施严华戚]"
)
_SCALE = "[多余几]?(?:百万|千万|万亿|万|亿)?[多余]?"
_CURRENCY = "(?:人民币|日元|美元|欧元|英镑|港元|港币|台币|法郎|卢布|元|块|圆)"
_ORGANISATION = (
    "(?:公司|集团|大学|学院|学校|中学|小学|医院|银行|委员会|研究院|研究所|俱乐部|协会|政府|法院|"
    "组织|学会|局|部|厂|中心|机构|社|队)"
)
_PLACE = (
    "(?:国|省|市|县|区|镇|乡|村|州|洲|岛|山|河|湖|海|路|街|港|湾|站|机场|车间|机房|仓库|工地|堆场|"
    "平台|楼|广场|公园|寺|城|宫)"
)
_DAY = rf"(?:\d{{1,2}}|{_CN}{{1,3}})"
_YEAR = rf"(?:公元前?)?(?:\d{{2,4}}|{_CN}{{2,4}})年"
_UNIT_OF_TIME = "个?多?半?(?:小时|分钟|秒钟?|天|周|星期|昼夜|个月|世纪)"
_COUNTED = "(?:个|人|名|次|种|条|项|座|家|层|位|部|岁|级|届|场|集|页|台|辆|所|支|只|架|倍|米|吨)"
_MANY = "(?: (?:million|billion|trillion|thousand))?"
_COMPANY = "(?:Inc|Corp|University|Company|Agency|Department|Board|Association|Institute)"
# Patterns of one type in the order of trust.
_PATTERNS: dict[AnswerType, tuple[str, ...]] = {
    AnswerType.DATE: (
        rf"{_YEAR}(?:{_DAY}月(?:份|{_DAY}[日号])?)?",
        rf"{_DAY}月(?:{_DAY}[日号]|份)?",
        r"\d{1,2}/\d{1,2}/\d{4}(?:,? \d{4} [A-Z]{3})?|\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2})?",
        rf"\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTHS})(?:,? \d{{4}})?",
        rf"(?:{_MONTHS})\.? \d{{1,2}}(?!\d)(?:st|nd|rd|th)?(?:,? \d{{4}})?|(?:{_MONTHS}),? \d{{4}}",
        r"\d{1,2}世纪(?:\d{1,2}年代)?[初中末]?|(?<!\d)(?:1\d|20)\d\d(?:s|年代)?(?!\d)",
        rf"(?:{_MONTHS})",
    ),
    AnswerType.TIME: (
        r"\d{1,2}[时点](?:\d{1,2}分)?|\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?",
        r"\d{4} (?:UTC|[A-Z]{2}T)|\d{1,2} ?[ap]\.?m\b",
    ),
    AnswerType.DURATION: (
        rf"(?:(?<![\d.]){_N}|{_CN}+|半){_UNIT_OF_TIME}(?:{_N}(?:分钟|秒))?",
        rf"(?<!\d)(?:\d{{1,3}}|{_CN}{{1,3}})多?年(?!\s*(?:\d|{_CN})+\s*月|代)",
        rf"(?:{_N}|[a-z]+)[ -](?:hours?|minutes?|seconds?|days?|weeks?|months?|years?|decades?)",
    ),
    AnswerType.MONEY: (
        rf"{_N}\s*{_SCALE}{_CURRENCY}|{_CN}+{_SCALE}{_CURRENCY}",
        rf"(?:US)?[$£€¥]\s?{_N}{_MANY}",
        rf"{_N}{_MANY} (?:dollars|euros|pounds|yuan|yen)",
    ),
    AnswerType.NUMBER: (
        rf"{_N}\s*%|百分之{_CN}+|{_CN}+分之{_CN}+",
        rf"(?<![A-Za-z0-9.-]){_N}{_SCALE}(?:平方公里|平方米|公里|千米|公斤|千克|公厘|公分|公尺|公顷|光年)",
        rf"(?<![A-Za-z0-9.-]){_N}{_SCALE}[{CJK}](?<!年)(?<!月)(?<!日)(?:死亡|受伤)?",
        rf"{_CN}+{_SCALE}{_COUNTED}",
        rf"(?<![A-Za-z0-9.-]){_N}(?: (?:million|billion|thousand|percent))?(?: [a-z]+)?",
        r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen)(?: [a-z]+)?",
    ),
    AnswerType.PERSON: (
        rf"{_SURNAME}某[{CJK}]?(?=[，。、；：的在于是和与作等（(]|$)|{_SURNAME}某",
        rf"[{CJK}]{{1,8}}[·•][{CJK}·•]{{1,12}}",
        rf"(?<![{CJK}]){_SURNAME}[{CJK}]{{1,2}}(?=[，。、；：的在于是和与为（(]|$)",
        rf"{_SURNAME}[{CJK}]{{1,2}}(?=[，。、；：（(]|$)",
        _NAME,
    ),
    AnswerType.PLACE: (
        rf"(?<=位于)[{CJK}]{{2,16}}?(?=[，。、；的]|$)",
        rf"(?<=[于在])(?:[{CJK}]{{1,6}}(?:省|市|县|区|州|国)){{1,3}}[{CJK}]{{0,8}}{_PLACE}?",
        rf"(?<=[在于至从到往])[{CJK}]{{1,12}}{_PLACE}|[{CJK}]{{2,6}}{_PLACE}",
        rf"(?<=\bin )(?:the )?(?:{_NAME})|(?<=\bat )(?:the )?(?:{_NAME})|(?<=near )(?:{_NAME})",
        rf"{_CAPS}(?: {_CAPS})*, [A-Z]{{2}}\b|{_NAME}",
    ),
    AnswerType.ORGANISATION: (
        rf"(?<=[由被为是])[{CJK}A-Za-z·]{{2,16}}?{_ORGANISATION}",
        rf"[{CJK}A-Za-z·]{{2,16}}{_ORGANISATION}",
        rf"(?:{_CAPS} )+{_COMPANY}\.?",
        _NAME,
    ),
    AnswerType.CAUSE: (
        r"(?<=原因[：:])[^。；]+|(?<=原因是)[^。；]+|(?<=由于)[^，。；]+|(?<=因为)[^，。；]+",
        r"(?<=[^原此]因)[^此为，。；]{2}[^，。；]*?(?=而|，|。|；|$)|[^，。；]+(?=，(?:因此|所以|于是))",
        r"(?<=to be: ).+|(?<=because ).+|(?<=due to ).+|(?<=caused by ).+",
    ),
    AnswerType.IDENTIFIER: (
        r"(?<![\w-])(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]+(?:[-_/][A-Za-z0-9]+)*\d\w*|[+\d][\d-]{5,}",
    ),
}
_COMPILED = {
    kind: tuple(re.compile(pattern) for pattern in patterns) for kind, patterns in _PATTERNS.items()
}
_ENTRY = f"[{CJK}A-Za-z0-9·《》“”]"
_SET_APART = {
    "title": re.compile("《[^《》]+》"),
    "quoted": re.compile('“[^“”]+”|「[^「」]+」|"[^"]+"'),
    "unquoted": re.compile('(?<=“)[^“”]+(?=”)|(?<=「)[^「」]+(?=」)|(?<=")[^"]+(?=")'),
    "run": re.compile(rf"{_CAPS}(?: {_CAPS})*"),
    "latin": re.compile("[A-Za-z][A-Za-z0-9 .&'-]*[A-Za-z0-9]"),
    "listed": re.compile(
        f"{_ENTRY}+(?:、{_ENTRY}+?)+(?:[和及与][{CJK}]{{2,8}}?)?(?=等|[，。；]|$)"
    ),
    "clause": re.compile("[^，。；！？：,;!?]+"),
}
"""Spans that stand out whatever is asked."""
# Types whose patterns are guesses: lining the sentence up with the question is tried first.
_OPEN = frozenset((AnswerType.OTHER, AnswerType.PERSON, AnswerType.PLACE, AnswerType.ORGANISATION))
_CLAUSE = re.compile(r"[^，。；！？：,;!?]+")
_COPULA = re.compile(
    r"(?:就是|分别是|分别为|称为|被称为|称作|叫做|名为|即|是|为|叫|由|于|有)(?=.{2})"
)
_NEAR = 30
"""A question word this many characters away still counts a half."""


def answer_words(question: Question, sentence: str) -> TextSpan | None:
    """Return the span of the sentence that answers the question, None when none does.

    Spans that the question itself holds are no answers. Among the rest the one nearest to the
    question's words wins; earlier patterns of a type win over later ones.
    """
    kind, asked = question.kind, question.normalised
    if kind in _OPEN:
        slot = open_slot(asked, sentence)
        if slot:
            return slot
    if not is_typed(kind):
        return _clause(question, sentence)
    for pattern in _COMPILED[kind]:
        spans = [TextSpan(*match.span()) for match in pattern.finditer(sentence) if match.group()]
        fresh = [span for span in spans if normalise(span.of(sentence)) not in asked]
        if fresh:
            weigh = _nearness(question, sentence)
            return max(fresh, key=lambda span: (weigh(span), -span.start))
    return None


def matches_of(kind: AnswerType, sentence: str) -> Iterator[tuple[str, TextSpan]]:
    """Yield every span that a pattern finds, with a name: `date0` is the first pattern for dates.

    Patterns of the asked type are named one by one, those of other types by the type alone; titles
    and words in quotation marks are named too.
    """
    for other, patterns in _COMPILED.items():
        for number, pattern in enumerate(patterns):
            name = f"{other.value}{number}" if other is kind else other.value
            yield from (
                (name, TextSpan(*m.span())) for m in pattern.finditer(sentence) if m.group()
            )
    for name, pattern in _SET_APART.items():
        yield from ((name, TextSpan(*match.span())) for match in pattern.finditer(sentence))


def is_typed(kind: AnswerType) -> bool:
    """True when the question words say what kind of words the answer is."""
    return kind not in (AnswerType.OTHER, AnswerType.ITEM)


def _nearness(question: Question, sentence: str) -> Callable[[TextSpan], float]:
    places = list(_question_places(question, sentence))

    def weigh(span: TextSpan) -> float:
        gaps = (max(span.start - end, start - span.end, 0) for start, end in places)
        return sum(1 / (1 + gap / _NEAR) for gap in gaps)

    return weigh


def _question_places(question: Question, sentence: str) -> Iterator[tuple[int, int]]:
    folded = normalise(sentence)
    if len(folded) != len(sentence):
        folded = sentence.lower()
    for term in _long_stems(question.words):
        for match in re.finditer(re.escape(term), folded):
            yield match.span()


def _clause(question: Question, sentence: str) -> TextSpan | None:
    """Return the clause with most question words, from behind its copula on."""
    clauses = [TextSpan(*match.span()) for match in _CLAUSE.finditer(sentence)]
    if not clauses:
        return None
    asked = _long_stems(question.words)

    def shared(span: TextSpan) -> float:
        own = _long_stems(index_terms(span.of(sentence)))
        return len(asked & own) / (5 + len(own))

    best = max(clauses, key=shared)
    copula = _COPULA.search(best.of(sentence))
    start = best.start + copula.end() if copula else best.start
    words = sentence[start : best.end]
    return TextSpan(start + len(words) - len(words.lstrip()), best.end) if words.strip() else best


def _long_stems(terms: Iterable[str]) -> set[str]:
    return {stem(term) for term in terms if len(term) > 1}
