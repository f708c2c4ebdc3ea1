"""Questions out of plain sentences: the answering words taken out, a question word put in.

Inverse cloze for reading: words of a known kind (a date, a number, a name, a reason …) become the
answer, and what is left of their sentence becomes the question, with words dropped so that it is
no copy. Patterns only, Chinese and English. Knows one sentence; chooses no evidence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kb_service.domain.text import CJK
from training.reader.evidence import Sentence, sentences_of
from training.reader.examples import Example, Target, arranged

MIN_QUESTION_CHARS = 6
CHINESE_WINDOW, ENGLISH_WINDOW = 28, 90
DROP_SHARE = 0.18
TITLE_SHARE = 0.3
NO_ANSWER_SHARE = 0.05
_END = "(?=[，。；、：！？（）《》“”\\s]|$)"


@dataclass(frozen=True, slots=True)
class Kind:
    """Words of one kind: ``pattern`` finds them (its group 1, if any), ``words`` ask for them."""

    pattern: re.Pattern[str]
    words: tuple[str, ...]
    weight: float = 1.0


def _kind(pattern: str, words: str, weight: float = 1.0) -> Kind:
    return Kind(re.compile(pattern), tuple(words.split("|")), weight)


_C = f"[{CJK}]"
_PLACES = "(?:省|市|县|区|州|国|镇|乡|村|岛|山|河|湖|海|路|港|湾|站|机场|洲|城)"
_BODIES = "(?:公司|大学|学院|委员会|政府|部门|机关|法院|协会|研究所|医院|银行|集团|组织|乐团|球队)"
_UNITS = (
    "(?:人|名|个|次|种|条|项|座|家|层|位|岁|级|届|场|集|页|台|辆|公里|千米|米|公尺|吨|公斤|元|美元|%|％"
    "|平方公里|平方米|小时|分钟|天|倍|度|枚|架|艘|票|分|所|间|支|首|部)"
)
CHINESE_KINDS = (
    _kind(r"(?:公元前?)?\d{2,4}年(?:\d{1,2}月(?:\d{1,2}日)?)?", "哪一年|什么时候|何时|哪年", 1.5),
    _kind(r"\d{1,2}月\d{1,2}日", "什么时候|哪一天|几月几日"),
    _kind(rf"(?<![\d.])\d[\d,.]*[多余几]?[百千万亿]*{_UNITS}", "多少|几", 1.5),
    _kind(
        rf"[一二三四五六七八九十百千万两]+(?:个|名|种|次|位|座|条|项|部|年|人|天|岁){_END}",
        "多少|几",
    ),
    _kind("《[^》]{1,20}》", "什么|哪部作品|哪本书|什么作品"),
    _kind("“([^”]{2,16})”", "什么|什么名字", 0.7),
    _kind(rf"{_C}{{1,6}}[·•]{_C}[{CJK}·•]{{0,12}}", "谁|哪个人|哪位"),
    _kind(
        rf"(?<=[由被和与是]){_C}{{2,3}}(?=[，。；、（]|担任|创立|创作|率领|主持)", "谁|哪位|什么人"
    ),
    _kind(rf"(?<=[在于到自]){_C}{{1,8}}{_PLACES}", "哪里|什么地方|何处|哪个地方", 1.2),
    _kind(rf"{_C}{{2,10}}{_BODIES}", "哪个机构|哪里|什么组织|哪个单位"),
    _kind(
        f"(?:称为|叫做|名为|简称|又称|俗称|改名为)([^，。；（）]{{2,16}}){_END}", "什么|什么名字"
    ),
    _kind(rf"(?:是|为)([^，。；是为]{{2,24}}){_END}", "什么", 1.2),
    _kind(r"(?:因为|由于|原因是)([^，。；]{4,40})", "什么原因|为什么"),
    _kind(r"(?:应当|可以|不得|必须|需要|能够)([^，。；]{4,40})", "做什么|怎样"),
    _kind(rf"(?:包括|负责|具有|拥有|用于|采用|提出)([^，。；]{{2,30}}){_END}", "什么|哪些"),
    _kind(r"(?<=[，；：])([^，。；：]{4,26})(?=[，。；])", "什么|怎样|如何", 0.8),
)
_CAPS = r"[A-Z][\w'’-]+"
ENGLISH_KINDS = (
    _kind(r"\b(?:1\d|20)\d\d\b", "what year|when|which year", 1.5),
    _kind(
        r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)"
        r"(?: \d{1,2})?(?:,? \d{4})?",
        "when|what date|what month",
    ),
    _kind(
        r"(?<![\w.])\d[\d,.]*(?: (?:million|billion|percent|thousand))?(?= [a-z])",
        "how many|how much",
    ),
    _kind(rf"(?<=\bin )(?:the )?{_CAPS}(?: {_CAPS})*", "where|what place|which country"),
    _kind(rf"(?<=\bby )(?:the )?{_CAPS}(?: {_CAPS})*", "who|whom"),
    _kind(rf"{_CAPS}(?: (?:of |the )?{_CAPS})+", "who|what|which"),
    _kind(r"(?:because|due to|so that|in order to) ([^,.;]{8,90})", "why|what reason"),
    _kind(r"\b(?:is|are|was|were) ((?:an? |the )[^,.;]{4,60})", "what|what kind of thing"),
    _kind(r"\b(?:called|named|known as) ([^,.;]{3,40})", "what|what name"),
    _kind(r"\b(?:returns?|raises?|contains?|provides?|uses?|includes?) ([^,.;]{4,60})", "what"),
    _kind(r"(?<=[a-z] )((?:an? |the )[a-z]+(?: [a-z]+){0,2})(?=[,.;])", "what|which"),
)


@dataclass(frozen=True, slots=True)
class Gap:
    """The words to ask for, at [start, end) of a sentence, and the word that asks."""

    start: int
    end: int
    word: str


def gaps_of(sentence: str, rng: random.Random) -> Gap | None:
    """A random gap of a random kind that the sentence has; None when it has none."""
    kinds = CHINESE_KINDS if is_mostly_chinese(sentence) else ENGLISH_KINDS
    found = [(kind, list(kind.pattern.finditer(sentence))) for kind in kinds]
    usable = [(kind, matches) for kind, matches in found if matches]
    if not usable:
        return None
    kind, matches = rng.choices(usable, [kind.weight for kind, _ in usable])[0]
    match = rng.choice(matches)
    start, end = match.span(1 if match.re.groups else 0)
    return Gap(start, end, rng.choice(kind.words))


def is_mostly_chinese(text: str) -> bool:
    """Whether Chinese patterns fit the text."""
    return sum("\u3400" <= c <= "\u9fff" for c in text) * 5 > len(text)


def question_from(sentence: str, gap: Gap, title: str, rng: random.Random) -> str:
    """Ask for the gap with what stands near it; some words dropped, the title put in front."""
    if is_mostly_chinese(sentence):
        before = _near(sentence[: gap.start], CHINESE_WINDOW, "，。；：", rng, keeps_end=True)
        after = _near(sentence[gap.end :], CHINESE_WINDOW, "，。；：", rng, keeps_end=False)
        asked = f"{_thinned(before, rng)}{gap.word}{_thinned(after, rng)}"
        asked = re.sub(r"[，。；：！？“”\s]+", "", asked) + "？"
    else:
        before = _near(sentence[: gap.start], ENGLISH_WINDOW, ".;", rng, keeps_end=True)
        after = _near(sentence[gap.end :], ENGLISH_WINDOW, ".;", rng, keeps_end=False)
        parts = [_dropped_words(before, rng), gap.word, _dropped_words(after, rng)]
        if rng.random() < 0.6:
            parts = [gap.word, parts[0], parts[2]]
        asked = " ".join(part for part in parts if part).strip(" ,.;:") + "?"
        asked = asked[0].upper() + asked[1:]
    if title and title not in asked and rng.random() < TITLE_SHARE:
        asked = f"{title}{asked}" if is_mostly_chinese(asked) else f"{asked[:-1]} in {title}?"
    return asked


def _near(text: str, window: int, breaks: str, rng: random.Random, *, keeps_end: bool) -> str:
    """A stretch of the text beside the gap, cut at a break or after the window."""
    part = text[-window:] if keeps_end else text[:window]
    if rng.random() < 0.5:
        cut = max(map(part.rfind, breaks)) if keeps_end else -1
        if not keeps_end:
            places = [p for p in map(part.find, breaks) if p >= 0]
            return part[: min(places)] if places else part
        return part[cut + 1 :]
    return part


def _thinned(text: str, rng: random.Random) -> str:
    """The text without some runs of one to three characters."""
    kept, position = "", 0
    while position < len(text):
        size = rng.randint(1, 3)
        if rng.random() >= DROP_SHARE:
            kept += text[position : position + size]
        position += size
    return kept


def _dropped_words(text: str, rng: random.Random) -> str:
    return " ".join(word for word in text.split() if rng.random() >= DROP_SHARE)


def cloze_examples(
    texts: Iterable[tuple[str, str]],
    idf: Mapping[str, float],
    per_text: int,
    rng: random.Random,
) -> Iterator[Example]:
    """Examples from (title, text) pairs, at most ``per_text`` of each."""
    for title, text in texts:
        sentences = sentences_of(text)
        usable = [i for i, s in enumerate(sentences) if len(s.text) >= 12]
        for index in rng.sample(usable, min(per_text, len(usable))):
            example = _cloze(title, sentences, index, idf, rng)
            if example:
                yield example


def _cloze(
    title: str,
    sentences: list[Sentence],
    index: int,
    idf: Mapping[str, float],
    rng: random.Random,
) -> Example | None:
    text = sentences[index].text
    gap = gaps_of(text, rng)
    if gap is None or not text[gap.start : gap.end].strip():
        return None
    question = question_from(text, gap, title, rng)
    if len(question) < MIN_QUESTION_CHARS:
        return None
    near = sentences[max(0, index - 6) : index + 7]
    position = index - max(0, index - 6)
    if rng.random() < NO_ANSWER_SHARE and len(near) > 1:
        others = near[:position] + near[position + 1 :]
        return arranged(None, question, others, idf, rng)
    return arranged(Target(question, position, gap.start, gap.end), question, near, idf, rng)
