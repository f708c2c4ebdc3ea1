"""What a question asks: its content terms, the type of the answer, and how well a text covers it.

Pure functions on strings, Chinese and English, without a dictionary. Knows no documents.
"""

import re
from collections.abc import Iterable, Mapping

from kb_service.domain.questions import AnswerType
from kb_service.language.text import index_terms, terms_of

DEFAULT_IDF = 1.0
"""Weight of a term when no rarities are known at all: every term counts the same."""

_CJK_QUESTION = re.compile(
    "编号|请问|请告诉我|请介绍|请列出|告诉我|请|是指什么|什么时候|什么时间|什么样的?|什么|为什么|为何|因何|"
    "哪一?(?:年|月|日|天|家|个|位|座|起|种|些|类|款|条|部|本|次|级|所|里|儿|名|届|省|市|国)|哪|"
    "谁|多少钱|多少|多久|多长时间|多长|多大|多高|多远|多重|多深|多宽|几|何时|何地|何人|何处|何种|何|"
    "怎么样|怎么|怎样|如何|是否|能否|可否|有没有|是不是|吗|呢|么|吧|"
    "(?:报告|文件|文档|资料|文中|文章)(?:中|里)?(?:提到|提及|所述|记载)?的?|提到|提及|"
    "第\\s*[\\d一二三四五六七八九十百千零〇]+\\s*(?:条|项|点|款|个|步|章)|提出|采取|规定|"
    "(?<![委员大议协社晚国工商年学机])会(?![议员长场展])(?=[^，。？?]{1,8}[？?]?$)|"
    "的|了|着|在|是|有|和|与|及|被|把|给出|叫做?|称为|属于|该|这|那|它|他|她|们|号"
)
_ENGLISH_QUESTION = re.compile(
    r"\b(?:how\s+(?:many|much|long|often|old|far|big|large|tall|high|deep|fast|badly|severely|"
    r"seriously|well)|(?:what|which)\s+(?:type|kind|sort|number|amount)s?\s+of|what|which|who|whom|"
    r"whose|when|where|why|how|do|does|did|done|is|are|was|were|be|been|being|am|has|have|had|can|"
    r"could|will|would|shall|should|may|might|must|a|an|the|of|in|on|at|to|for|by|with|from|into|"
    r"as|and|or|but|that|this|these|those|it|its|they|them|their|he|she|his|her|there|then|than|"
    r"please|tell|me|about|any|some|happen(?:ed|s)?|occur(?:red|s)?|take\s+place|took\s+place|"
    r"involved?|result(?:ed|s)?|number|called|named|name|mentioned|according|report|document)\b"
)
_LASTING = re.compile(r"\b(?:last|lasted|lasts|take|took)\b")
_SUFFIX = re.compile(r"(?:ies|ing|ed|es|s|e|ly)$")


# First match wins: the more specific wording stands first.
_WORDING: dict[AnswerType, tuple[str, ...]] = {
    AnswerType.ITEM: (r"第\s*[\d一二三四五六七八九十百千零〇]+\s*(?:条|项|点|款|步|章)",),
    AnswerType.DURATION: (
        "多久|多长时间|历时|(?<![元于在])(?:几|多少)个?(?:小时|分钟|天|年|个月|秒)(?!代)",
        "how long|how many (?:hours|minutes|days|weeks|months|years|seconds)",
    ),
    AnswerType.MONEY: (
        (
            "(?:损失|罚款|金额|费用|造价|票房|收入|投资|价格|奖金|资金|成本|赔偿|工资|售价|耗资|款项?)"
            "[^，。？?]{0,8}(?:多少|几)"
        ),
        "多少(?:钱|元|万元|亿元|美元)",
        "how much (?:money|did .* (?:cost|pay)|does .* cost|was .* (?:fined|paid|worth))",
        "what (?:was|is|were) the (?:cost|price|fine|damages|budget|revenue|salary)",
    ),
    AnswerType.TIME: ("几点|几时几分|什么时刻", "what time|at which (?:hour|time)"),
    AnswerType.DATE: (
        "什么时候|什么时间|何时|哪一?(?:年|天|日|月)|几(?:月|号|日|年)",
        "(?:日期|时间|年份)(?:是|为|在)?(?:什么|哪|多少|何)",
        "when|(?:what|which) (?:year|date|day|month)",
    ),
    AnswerType.PERSON: ("谁|哪一?(?:位|名)|何人|什么人", r"\b(?:who|whom|whose)\b"),
    AnswerType.NUMBER: (
        "多少|多(?:大|高|远|重|深|宽|长)",
        "几(?:个|人|名|次|种|起|条|项|座|家|层|位|部|岁|级|届|场|集|页|台|辆|所|支|只|架|千|万)",
        "how (?:many|much|old|far|tall|high|deep|large|big|fast)",
        "what (?:number|percentage|proportion|percent)",
    ),
    AnswerType.CAUSE: (
        "为什么|为何|因何|原因|缘由|起因|什么导致|因为什么|(?:怎么|如何|什么)(?:引起|造成|引发|导致)",
        r"\bwhy\b|(?:what|which) caused?|probable cause|reason|cause of",
    ),
    AnswerType.ORGANISATION: (
        "哪一?(?:家|个|所)?(?:公司|单位|机构|组织|部门|企业|医院|学校|大学|银行|集团|学院|机关)",
        "(?:公司|单位|机构|部门|企业|医院|学校|大学|银行|集团)(?:是|为|叫)(?:哪|什么)",
        "(?:which|what) (?:company|organi[sz]ation|agency|unit|department|team|hospital|firm)",
        "(?:which|what) (?:university|school|bank)",
    ),
    AnswerType.PLACE: (
        "哪里|哪儿|何地|何处|什么地方|在哪|(?:地点|位置|地址)(?:是|在|为)",
        "哪一?(?:个|座)?(?:国家|城市|省|市|县|区|地区|地方|镇|村|岛|州|洲|街|路)",
        r"\bwhere\b|(?:which|what) (?:city|country|state|place|location|town|county|region)",
        "(?:which|what) (?:island|airport)",
    ),
    AnswerType.IDENTIFIER: (
        "(?:编号|号码|代码|车牌|型号|电话|序列号)(?:是|为)?(?:什么|多少|哪)|给出编号",
        "registration|identifier",
        "(?:serial|accident|case|phone|report|ticket) (?:number|code|id)",
    ),
}
_TYPES = tuple((kind, re.compile("|".join(parts))) for kind, parts in _WORDING.items())


def answer_type(normalised: str) -> AnswerType:
    """Return the type of answer that the words of a normalised question ask for."""
    return next((kind for kind, pattern in _TYPES if pattern.search(normalised)), AnswerType.OTHER)


def content_terms(normalised: str) -> tuple[str, ...]:
    """Return the distinct index terms of a normalised question without its function words.

    Latin words are kept whole; each CJK stretch between question words gives its characters and
    pairs. In order of appearance.
    """
    text = normalised
    if "how long" in text:
        text = _LASTING.sub(" ", text)
    text = _ENGLISH_QUESTION.sub(" ", _CJK_QUESTION.sub(" ", text))
    return tuple(dict.fromkeys(terms_of(text)))


def text_terms(text: str) -> frozenset[str]:
    """Return the stems of the index terms of a text, for `coverage`."""
    return frozenset(stem(term) for term in index_terms(text))


def stem(term: str) -> str:
    """Return a Latin word without its ending, so that "damaged" meets "damage"."""
    if len(term) < 4 or not term.isascii() or not term.isalpha():
        return term
    cut = _SUFFIX.sub("", term)
    cut = cut if len(cut) >= 3 else term
    # "stopped" and "stop" differ by a doubled letter once the ending is gone.
    return cut[:-1] if len(cut) > 3 and cut[-1] == cut[-2] and cut[-1] not in "ls" else cut


def coverage(terms: Iterable[str], present: frozenset[str], idf: Mapping[str, float]) -> float:
    """Return the idf-weighted share of `terms` whose stem is `present`; 0.0 without terms.

    A term that `idf` lacks is as rare as the rarest known one: the collection does not have it.
    """
    unknown = max(idf.values(), default=DEFAULT_IDF)
    weights = [(idf.get(term, unknown), stem(term) in present) for term in terms]
    total = sum(weight for weight, _ in weights)
    return sum(weight for weight, is_in in weights if is_in) / total if total > 0 else 0.0
