"""The bytes of a file name as some program sent them: UTF-8, or the code page of an old system.

Knows which characters are usual in each code page. Pure.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

_RUN = re.compile(r"[^\x00-\x7f]+")
_FALLBACK = "cp1252"
_LABELS = {
    "utf-8": "utf-8", "iso-8859-1": "latin-1", "windows-1252": _FALLBACK, "gb18030": "gb18030",
    "gbk": "gb18030", "gb2312": "gb18030", "big5": "big5", "shift_jis": "cp932",
}  # fmt: skip
"""Charsets that `filename*` may name, and their decoders."""


def decoded_name(raw: bytes) -> str:
    """Return the text that bytes most likely are; never fails.

    What is not UTF-8 is read as the code page in which most of its characters are usual ones:
    that of simplified Chinese, of traditional Chinese or of Japanese, otherwise western European.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        readings = [_reading(raw, codec, is_usual) for codec, is_usual in _CODE_PAGES]
        score, text = max(readings, key=lambda reading: reading[0])
        return text if score >= 0 else raw.decode(_FALLBACK, "replace")


def extended_name(value: str) -> str:
    """Return the text of an RFC 5987 value, `charset'language'percent-encoded`; never fails."""
    charset, _, rest = value.partition("'")
    raw = unquote_to_bytes(rest.partition("'")[2])
    try:
        return raw.decode(_LABELS[charset.lower()])
    except (KeyError, UnicodeDecodeError):
        return decoded_name(raw)


def _reading(raw: bytes, codec: str, is_usual: Callable[[str], bool]) -> tuple[float, str]:
    """Return the share of usual characters in a reading, below 0 where it cannot be one."""
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        return -1.0, ""
    runs = list(_RUN.finditer(text))
    if not runs or any(_is_latin(text, run, is_usual) for run in runs):
        return -1.0, ""
    characters = "".join(run.group() for run in runs)
    return sum(map(is_usual, characters)) / len(characters), text


def _is_latin(text: str, run: re.Match[str], is_usual: Callable[[str], bool]) -> bool:
    """True for one character between letters, as an accented one of a western word is misread."""
    around = text[: run.start()][-1:], text[run.end() :][:1]
    num_letters = sum(side.isalpha() for side in around)
    is_alone = len(run.group()) == 1
    return is_alone and (num_letters == 2 or (num_letters == 1 and not is_usual(run.group())))


def _is_usual_simplified(character: str) -> bool:
    return _code(character, "gb2312") is not None


def _is_usual_traditional(character: str) -> bool:
    return 0xA440 <= (_code(character, "big5") or 0) <= 0xC67E


def _is_usual_japanese(character: str) -> bool:
    code = _code(character, "cp932") or 0
    return 0x829F <= code <= 0x8396 or 0x889F <= code <= 0x9872


def _code(character: str, codec: str) -> int | None:
    try:
        return int.from_bytes(character.encode(codec))
    except UnicodeEncodeError:
        return None


_CODE_PAGES = (
    ("gb18030", _is_usual_simplified),
    ("big5", _is_usual_traditional),
    ("cp932", _is_usual_japanese),
)
"""The first wins where two fit alike."""
