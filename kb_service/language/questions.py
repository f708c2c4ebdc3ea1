"""What a question asks: its content terms, and how well a text covers it.

Pure functions on strings, Chinese and English, without a dictionary. Knows no documents.
"""

from collections.abc import Iterable, Mapping

from kb_service.language.regexes import regex
from kb_service.language.text import index_terms, terms_of

DEFAULT_IDF = 1.0
"""Weight of a term when no rarities are known at all: every term counts the same."""

_CJK_QUESTION = regex(
    "编号|请问|请告诉我|请介绍|请列出|告诉我|请|是指什么|什么时候|什么时间|什么样的?|什么|为什么|为何|因何|"
    "哪一?(?:年|月|日|天|家|个|位|座|起|种|些|类|款|条|部|本|次|级|所|里|儿|名|届|省|市|国)|哪|"
    "谁|多少钱|多少|多久|多长时间|多长|多大|多高|多远|多重|多深|多宽|几|何时|何地|何人|何处|何种|何|"
    "怎么样|怎么|怎样|如何|是否|能否|可否|有没有|是不是|吗|呢|么|吧|"
    "(?:报告|文件|文档|资料|文中|文章)(?:中|里)?(?:提到|提及|所述|记载)?的?|提到|提及|"
    "第\\s*[\\d一二三四五六七八九十百千零〇]+\\s*(?:条|项|点|款|个|步|章)|提出|采取|规定|"
    "(?<![委员大议协社晚国工商年学机])会(?![议员长场展])(?=[^，。？?]{1,8}[？?]?$)|"
    "的|了|着|在|是|有|和|与|及|被|把|给出|叫做?|称为|属于|该|这|那|它|他|她|们|号"
)
_ENGLISH_QUESTION = regex(
    r"\b(?:how\s+(?:many|much|long|often|old|far|big|large|tall|high|deep|fast|badly|severely|"
    r"seriously|well)|(?:what|which)\s+(?:type|kind|sort|number|amount)s?\s+of|what|which|who|whom|"
    r"whose|when|where|why|how|do|does|did|done|is|are|was|were|be|been|being|am|has|have|had|can|"
    r"could|will|would|shall|should|may|might|must|a|an|the|of|in|on|at|to|for|by|with|from|into|"
    r"as|and|or|but|that|this|these|those|it|its|they|them|their|he|she|his|her|there|then|than|"
    r"please|tell|me|about|any|some|happen(?:ed|s)?|occur(?:red|s)?|take\s+place|took\s+place|"
    r"involved?|result(?:ed|s)?|number|called|named|name|mentioned|according|report|document)\b"
)
_LASTING = regex(r"\b(?:last|lasted|lasts|take|took)\b")
_SUFFIX = regex(r"(?:ies|ing|ed|es|s|e|ly)$")


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
