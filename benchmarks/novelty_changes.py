"""One change to a real sentence, of a kind, or one honest rewording of it by rule.

Pure functions of a sentence, the words of the corpus and a seeded generator; None where the
sentence has nothing to change. Written for measuring: shares no list with what is measured.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from opencc import OpenCC

Change = Callable[[str, "Words", random.Random], str | None]

_HAN = "[\u4e00-\u9fff]"
_STOP = frozenset(
    re.findall(
        r"\w+",
        """about above after again also although among another around because been before being
    below
    between both could does doing down during each every from have having here however into itself
    more most must near only other over should since some such than that their them then there these
    they this those through under until upon very were what when where which while whom will with
    within without would your not never none""",
    )
)
_DENYING_ZH = re.compile(
    "(?:没有|未|没|无|不|非)"
    "(?<!不仅)(?<!不但)(?<!不断)(?<!是否)(?!常|仅|但|断|久|论|锈|线|来|洲|收|管|同|人机|锡|然|过|少|如|例)"
)
_DENYING_EN = re.compile(r" not\b|n't\b|\bno (?=[a-z])|\bnever |\bwithout ")
_VERBS_ZH = re.findall(
    r"\w+",
    """造成 发现 报告 采取 违反 使用 应当 可以 进行 受到 获得 成为 包括 属于 支持 参加 建立 提供
    符合 经过 接受 影响 通过""",
)
_NAME_ZH = re.compile(
    rf"(?<=[在于到由与和、，（])({_HAN}{{2,3}})(?=市|县|省|区|镇|大学|公司|国际|广场|站|岛|战役|公园)"
    rf"|《({_HAN}{{2,8}})》|([李王张刘陈杨赵黄周吴徐孙马朱胡郭何林罗郑钱褚冯]某?{_HAN})(?=[，、的在于是为和与（发]|$)"
)
_NAME_EN = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?:-[A-Z]?[a-z]+)?\b")
_NO_NAMES = {
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday", "The", "This", "These", "There", "They", "When", "While", "After", "Mr",
}  # fmt: skip
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.,-])\d(?:[\d,]*\d)?(?:\.\d+)?(?![A-Za-z0-9_]|[,.-]\d)")
_UNITS = [
    ("分钟", "小时"),
    ("小时", "分钟"),
    ("万元", "元"),
    ("公里", "米"),
    (" minutes", " hours"),
    (" hours", " minutes"),
    (" feet", " miles"),
    (" km", " m"),
    (" years", " months"),
]


def seeded(seed: int) -> random.Random:
    """Return a generator that gives the same on every machine."""
    return random.Random(seed)


@dataclass(frozen=True, slots=True)
class Words:
    """What is swapped in: content words by language (English ones by ending) and names."""

    chinese: tuple[str, ...]
    english: Mapping[str, tuple[str, ...]]
    names_zh: tuple[str, ...]
    names_en: tuple[str, ...]
    numbers: tuple[str, ...] = ()

    def within(self, text: str) -> "Words":
        """Return those that stand in a text, and its numbers."""
        english = {
            ending: tuple(w for w in words if re.search(rf"\b{w}\b", text))
            for ending, words in self.english.items()
        }
        inside = (
            tuple(w for w in words if w in text)
            for words in (self.chinese, self.names_zh, self.names_en)
        )
        chinese, names_zh, names_en = inside
        return Words(chinese, english, names_zh, names_en, tuple(sorted(_NUMBER.findall(text))))


def words_of(sentences: Iterable[str]) -> Words:
    """Count the words of a corpus: pairs of characters that keep together, Latin words, names."""
    pairs: Counter[str] = Counter()
    single: Counter[str] = Counter()
    latin: Counter[str] = Counter()
    names: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for text in sentences:
        for run in re.findall(f"{_HAN}+", text):
            single.update(run)
            pairs.update(run[i : i + 2] for i in range(len(run) - 1))
        latin.update(word for word in re.findall(r"\b[a-z]{4,}\b", text) if word not in _STOP)
        names[0].update(_zh_name(match) for match in _NAME_ZH.finditer(text))
        names[1].update(name for name in _NAME_EN.findall(text) if name not in _NO_NAMES)
    num = max(1, sum(single.values()))
    bound = [p for p, n in pairs.items() if n >= 8 and n * num > 60 * single[p[0]] * single[p[1]]]
    endings: dict[str, list[str]] = {}
    for word in sorted(w for w, n in latin.items() if n >= 2):
        endings.setdefault(_ending(word), []).append(word)
    return Words(
        tuple(sorted(bound)),
        {ending: tuple(words) for ending, words in endings.items()},
        tuple(sorted(names[0])),
        tuple(sorted(names[1])),
    )


def change_word(text: str, words: Words, rng: random.Random) -> str | None:
    """Swap a content word, or put one in beside it."""
    if re.search(_HAN, text):
        known = set(words.chinese)
        places = [i for i in range(len(text) - 1) if text[i : i + 2] in known]
        if not places:
            return None
        place = rng.choice(places)
        new = _other(words.chinese, text, rng)
        return _put(text, place, place + 2, new, rng)
    matches = [m for m in re.finditer(r"\b[a-z]{4,}\b", text) if m.group() not in _STOP]
    if not matches:
        return None
    match = rng.choice(matches)
    new = (
        _other(words.english[_ending(match.group())], text, rng)
        if _ending(match.group()) in words.english
        else None
    )
    return _put(text, *match.span(), new, rng, " ")


def change_number(text: str, words: Words, rng: random.Random) -> str | None:
    """Swap a number for another one as long, or its unit."""
    units = (
        []
        if words.numbers
        else [(old, new) for old, new in _UNITS if re.search(rf"\d{old}\b|\d{old}(?={_HAN})", text)]
    )
    if units and rng.random() < 0.3:
        old, new = rng.choice(units)
        return re.sub(rf"(?<=\d){old}", new, text, count=1)
    matches = list(_NUMBER.finditer(text))
    if not matches:
        return None
    match = rng.choice(matches)
    if words.numbers:
        other = _other(words.numbers, text, rng)
        return text[: match.start()] + other + text[match.end() :] if other else None
    digits = [i for i, c in enumerate(match.group()) if c.isdigit()]
    place = rng.choice(digits)
    choices = [d for d in "123456789" if d != match.group()[place]]
    new = match.group()[:place] + rng.choice(choices) + match.group()[place + 1 :]
    return None if new in text else text[: match.start()] + new + text[match.end() :]


def change_name(text: str, words: Words, rng: random.Random) -> str | None:
    """Swap a name for another one of the corpus."""
    if re.search(_HAN, text):
        matches = list(_NAME_ZH.finditer(text))
        if not matches:
            return None
        match = rng.choice(matches)
        old = _zh_name(match)
        alike = [n for n in words.names_zh if len(n) == len(old)]
        new = _other(alike, text, rng)
        return (
            text[: match.start()] + match.group().replace(old, new) + text[match.end() :]
            if new
            else None
        )
    found = [m for m in _NAME_EN.finditer(text) if m.group() not in _NO_NAMES]
    if not found:
        return None
    match = rng.choice(found)
    new = _other(words.names_en, text, rng)
    return text[: match.start()] + new + text[match.end() :] if new else None


def change_negation(text: str, words: Words, rng: random.Random) -> str | None:
    """Take a negation out, or put one in where there is none."""
    is_chinese = bool(re.search(_HAN, text))
    found = list((_DENYING_ZH if is_chinese else _DENYING_EN).finditer(text))
    if found:
        match = rng.choice(found)
        kept = "with " if match.group() == "without " else ""
        return text[: match.start()] + kept + text[match.end() :]
    if is_chinese:
        verbs = [m.start() for verb in _VERBS_ZH for m in re.finditer(verb, text)]
        if not verbs:
            return None
        place = rng.choice(sorted(verbs))
        return text[:place] + rng.choice(["未", "没有", "不"]) + text[place:]
    auxiliaries = list(re.finditer(r"\b(?:is|was|were|are|has|had|can|should|will|would)\b", text))
    if not auxiliaries:
        return None
    place = rng.choice(auxiliaries).end()
    return text[:place] + rng.choice([" not", " never"]) + text[place:]


CHANGES: dict[str, Change] = {
    "word": change_word,
    "number": change_number,
    "name": change_name,
    "negation": change_negation,
}


def _reordered(text: str, words: Words, rng: random.Random) -> str | None:
    """Say the last clause first."""
    comma, end = ("，", "。") if re.search(_HAN, text) else (", ", ".")
    clauses = text.rstrip("。.").split(comma)
    if not 2 <= len(clauses) <= 4 or min(map(len, clauses)) < 6:
        return None
    return comma.join([clauses[-1], *clauses[:-1]]) + end


def _shortened(text: str, words: Words, rng: random.Random) -> str | None:
    """Leave one clause out."""
    comma, end = ("，", "。") if re.search(_HAN, text) else (", ", ".")
    clauses = text.rstrip("。.").split(comma)
    if len(clauses) < 3 or min(map(len, clauses)) < 6:
        return None
    place = rng.randrange(len(clauses))
    if re.search("不|未|无|没|\\bnot?\\b", clauses[place]):
        return None
    return comma.join(clauses[:place] + clauses[place + 1 :]) + end


def _small_words(text: str, words: Words, rng: random.Random) -> str | None:
    """Leave out or change words without a meaning of their own."""
    if re.search(_HAN, text):
        said = re.sub(f"(?<={_HAN})[的于了](?={_HAN})", "", text, count=2)
    else:
        said = re.sub(r"\b(?:the|a|an) ", "", text, count=2).replace(" which ", " that ")
    return said if said != text else None


def _other_date(text: str, words: Words, rng: random.Random) -> str | None:
    """Write a date in another way."""
    said = re.sub(
        r"(\d{4})年(\d{1,2})月(\d{1,2})日",
        lambda m: (
            f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}"
            if rng.random() < 0.7
            else f"{m[1]}/{m[2]}/{m[3]}"
        ),
        text,
    )
    months = ["January", "February", "March", "April", "May", "June", "July", "August",
              "September", "October", "November", "December"]  # fmt: skip
    said = re.sub(
        rf"\b({'|'.join(months)}) (\d{{1,2}}), (\d{{4}})",
        lambda m: f"{m[3]}-{months.index(m[1]) + 1:02}-{int(m[2]):02}",
        said,
    )
    return said if said != text else None


def _other_numerals(text: str, words: Words, rng: random.Random) -> str | None:
    """Write small numbers in digits or in words."""
    if re.search(_HAN, text):
        said = re.sub(
            "(?<![\\d.])([2-9])(?=[人名个座条种次家辆项])",
            lambda m: "二三四五六七八九"[int(m[1]) - 2],
            text,
        )
        said = (
            re.sub(
                "(?<![一二三四五六七八九十百千零])([三四五六七八九])(?=[人名个座条种次家辆项])",
                lambda m: str("三四五六七八九".index(m[1]) + 3),
                said,
            )
            if said == text
            else said
        )
    else:
        named = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
        said = re.sub(
            rf"\b({'|'.join(named)})\b(?! (?:hundred|thousand|million))",
            lambda m: str(named.index(m[1]) + 2),
            text,
        )
    return said if said != text else None


def _other_signs(text: str, words: Words, rng: random.Random) -> str | None:
    """Write traditional characters, wide digits; capitals, contractions."""
    if re.search(_HAN, text):
        said = OpenCC("s2t").convert(text)
        return re.sub(r"\d", lambda m: chr(ord(m.group()) + 0xFEE0), said)
    return re.sub(r"\b(did|was|were|is|could) not\b", r"\1n't", text).upper()


REWORDINGS: dict[str, Change] = {
    "reordered": _reordered,
    "shortened": _shortened,
    "small words": _small_words,
    "date": _other_date,
    "numerals": _other_numerals,
    "signs": _other_signs,
}


def _put(
    text: str, start: int, end: int, new: str | None, rng: random.Random, gap: str = ""
) -> str | None:
    if new is None:
        return None
    kept = text[start:end] + gap if rng.random() < 0.3 else ""
    return text[:start] + kept + new + text[end:]


def _other(words: Iterable[str], text: str, rng: random.Random) -> str | None:
    """Return a word that the sentence lacks, also in another inflection and in part."""
    choices = [w for w in words if w[:5].casefold() not in text.casefold()]
    return rng.choice(choices) if choices else None


def _ending(word: str) -> str:
    return next((e for e in ("ing", "ed", "ly", "s", "ion") if word.endswith(e)), "")


def _zh_name(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)
