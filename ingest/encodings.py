"""From bytes to characters: which encoding a text is in, and how sure that is.

Order: byte order mark, the file's own declaration, UTF-8, UTF-16 without a mark, UTF-8 with a few
bad bytes, then the encodings that people here use, told apart by charset-normalizer. Knows bytes
and the names of encodings; knows no format.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb_service.domain.errors import DocumentError
from kb_service.language.letters import is_one_language
from kb_service.language.mojibake import is_wide_text, oddness_of

LIKELY = ("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1252", "cp1251", "koi8_r")
"""What a text without a mark or declaration may be in, beside UTF-8 and UTF-16."""

_ONE_BYTE = frozenset(("cp1252", "cp1251", "koi8-r"))
"""Almost any bytes are letters of these; the letters must be those of one of their languages."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SUPERSETS = {
    "iso8859-1": ("cp1252",), "iso8859-9": ("cp1254",),
    "gb2312": ("gb18030",), "gbk": ("gb18030",), "hz": ("hz",), "shift_jis": ("cp932",),
    "euc_kr": ("cp949",), "big5": ("big5hkscs", "cp950"), "big5hkscs": ("big5hkscs", "cp950"),
    "cp950": ("cp950", "big5hkscs"), "euc_jp": ("euc_jp", "euc_jis_2004"),
}  # fmt: skip
"""What is meant by a declared name: the encoding with the characters that programs add to it."""
_ALIASES = {"x-sjis": "shift_jis", "x-gbk": "gbk", "x-euc-jp": "euc_jp", "x-big5": "big5"}
_SEVEN_BITS = frozenset(("utf-7", "unicode-1-1-utf-7"))
_WIDE = ("utf-16", "utf-32")
_NOT_TEXT = frozenset((
    "unicode-escape", "raw-unicode-escape", "undefined", "idna", "punycode", "mbcs", "oem", "utf-7",
))  # fmt: skip
_IN_MARKUP = re.compile(
    rb"<meta\s[^<>]*?charset\s*=\s*(?:[\"']\s*)?([A-Za-z0-9_:.-]{2,30})"
    rb"|<\?xml\s[^<>]*?encoding\s*=\s*[\"']([A-Za-z0-9_:.-]{2,30})",
    re.IGNORECASE,
)
_IN_A_COMMENT = re.compile(rb"^[^\n]{0,20}?(?:#|//|/\*|<!--|;)[^\n]*?coding[:=]\s*([\w.-]{2,30})")
_ESCAPES = (
    (re.compile(rb"\x1b\$(?:[@AB]|\([DOPQ])"), ("iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3")),
    (re.compile(rb"\x1b\$\)C"), ("iso2022_kr",)),
    (re.compile(rb"~\{[!-~]{2}"), ("hz",)),
)
"""How a text in ISO 2022 or HZ begins to speak Japanese, Korean or Chinese."""
_HZ_END = b"~}"
_HIGH = re.compile(rb"[\x80-\xff]")
_CONTROL = re.compile(r"[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
MIN_WIDE_BYTES = 8
MIN_TELLING_BYTES = 24
"""Beyond ASCII: fewer say nothing of frequencies, and the likeliest here is tried first."""
_DECLARED_WITHIN = 64 * 1024
_SAMPLE_BYTES = 64 * 1024
_MAX_BAD_SHARE = 0.05
_MAX_ODD_SHARE = 0.05
MAX_ODDNESS, MAX_ODDNESS_SAID = 0.1, 0.3
"""Of a guess, and of a text that is what its file declares."""
SURE, UNSURE = 0.9, 0.5
"""A guess that nothing contradicts, and one beside others."""
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Characters, the encoding that gave them, and how sure it is: 1 where the file says it.

    `num_replaced`: bytes that are no character; each stands as U+FFFD in the text.
    """

    text: str
    encoding: str
    confidence: float = 1.0
    num_replaced: int = 0

    @property
    def metadata(self) -> dict[str, str]:
        """What a reader should know of it: nothing where the encoding is beyond doubt."""
        found = {}
        if self.confidence < 1:
            found = {"encoding": self.encoding, "encoding_confidence": f"{self.confidence:.2f}"}
        if self.num_replaced:
            found["bytes_replaced"] = str(self.num_replaced)
        return found


def decode(data: bytes, name: str, *, declared: str = "") -> Decoded:
    """Return the characters of a text file. `declared`: what stands outside of it (a mail's head).

    Raises DocumentError `corrupt_document` when the bytes are no text.
    """
    found = _marked(data)
    if found is None:
        data = data.rstrip(b"\0")  # what a program that cuts a file in blocks leaves at its end
        found = _said(data, declared) or _escaped(data) or _unicode(data) or _likeliest(data)
    if found is None or not _is_text(found.text):
        names = ", ".join(LIKELY)
        raise DocumentError(
            f"{name} is not text in UTF-8, UTF-16, UTF-32 or one of {names}",
            code="corrupt_document",
        )
    return found


def looks_like_text(head: bytes) -> bool:
    """True when the first bytes of a file may be a text in some encoding; cheap, and not sure."""
    if any(head.startswith(mark) for mark, _ in _MARKS):
        return True
    body = head.rstrip(b"\0")
    wide = body + b"\0" * (len(body) % 2)
    if next(_wide_by_zeros(wide), "") or _wide_by_letters(wide):
        return True
    num_odd = sum(byte < 9 or 13 < byte < 27 for byte in body)
    return num_odd <= _MAX_ODD_SHARE * len(body)


def declared_in(data: bytes) -> str:
    """Return the encoding that markup or a comment of the first line declares, "" for none."""
    head = data[:_DECLARED_WITHIN]
    match = _IN_MARKUP.search(head) if b"<" in head else None
    match = match or next(filter(None, map(_IN_A_COMMENT.match, head.split(b"\n", 2)[:2])), None)
    return next((part.decode("ascii") for part in match.groups() if part), "") if match else ""


def encodings_of(label: str) -> tuple[str, ...]:
    """Return Python's names of what a label means, best first; () where it is no encoding of text.

    Labels mean more than they say: ISO-8859-1 is read as CP1252 and GB2312 as GB18030, as browsers
    do (WHATWG Encoding Standard).
    """
    label = label.strip().lower()
    try:
        own = codecs.lookup(_ALIASES.get(label, label)).name
        b"00".decode(own)  # a codec of bytes, as `hex`, is none of text
    except (LookupError, ValueError):
        return ()
    if own in _NOT_TEXT:
        return ()
    return _SUPERSETS.get(own, (own,))


def encoding_named(label: str) -> str | None:
    """Return the name of the encoding that a label means, None where it is none."""
    return next(iter(encodings_of(label)), None)


def _marked(data: bytes) -> Decoded | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _replacing(data, encoding)
    return None


def _said(data: bytes, declared: str) -> Decoded | None:
    """Follow a declaration that the bytes do not contradict."""
    is_seven = declared.strip().lower() in _SEVEN_BITS  # only outside: text may speak of it
    for encoding in ("utf-7",) if is_seven else encodings_of(declared or declared_in(data)):
        if encoding.startswith(_WIDE) and b"\0" not in data[:_SAMPLE_BYTES]:
            continue  # whoever could read the declaration has not read two bytes a character
        text = _strictly(data, encoding)
        if text is not None and _is_text(text) and oddness_of(text) <= MAX_ODDNESS_SAID:
            return Decoded(text, encoding)
    return None


def _escaped(data: bytes) -> Decoded | None:
    """Return a text in seven bits that names its alphabets by escapes, as old mail does."""
    for mark, encodings in _ESCAPES:
        begun = mark.search(data)
        if begun is None or ("hz" in encodings and not _is_hz(data, begun.end())):
            continue
        for encoding in encodings:
            text = _strictly(data, encoding)
            if text is not None and _is_text(text) and not text.isascii():
                return Decoded(text, encoding, SURE)
    return None


def _is_hz(data: bytes, begun: int) -> bool:
    """True where what began ends again, in seven bits up to there."""
    high = _HIGH.search(data)
    return data.rfind(_HZ_END, begun, high.start() if high else len(data)) >= 0


def _unicode(data: bytes) -> Decoded | None:
    text = _strictly(data, "utf-8")
    if text is not None and "\0" not in text:
        return Decoded(text, "utf-8")
    wide = data + b"\0" * (len(data) % 2)  # the last character's own zero
    for encoding in _wide_by_zeros(wide):
        text = _strictly(wide, encoding)
        if text is not None and _is_text(text):
            return Decoded(text, encoding)
    if text is not None and _is_text(text):
        return _without_zeros(text)
    num_good = sum(len(match) for match in _MULTIBYTE.findall(data))
    num_high = len(data.translate(None, bytes(range(128))))
    if num_high and (num_high - num_good) <= _MAX_BAD_SHARE * num_high:
        return _replacing(data, "utf-8")
    return _wide_by_letters(wide)


def _wide_by_zeros(data: bytes) -> Iterator[str]:
    """UTF-16 by its zeros: ASCII between other characters has them all on the same side."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 1 + 4 * even:
        yield "utf-16-le"
    elif even > 1 + 4 * odd:
        yield "utf-16-be"


def _wide_by_letters(data: bytes) -> Decoded | None:
    """UTF-16 of Chinese or Japanese alone, which has no zeros."""
    if len(data) < MIN_WIDE_BYTES:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _strictly(data, encoding)
        if text and is_wide_text(text):
            return Decoded(text, encoding, 0.9)
    return None


def _likeliest(data: bytes) -> Decoded | None:
    """The first that charset-normalizer thinks of and that reads like its language.

    Its order is by disorder and by the frequencies of letters; how scripts mix is looked at here.
    """
    from charset_normalizer import from_bytes

    sample = _cut_at_a_line(data)
    matches = from_bytes(sample, cp_isolation=list(LIKELY))
    guessed = [match.encoding for match in matches]
    is_short = len(sample.translate(None, bytes(range(128)))) < MIN_TELLING_BYTES
    scored = []
    for place, label in enumerate([*guessed, *(label for label in LIKELY if label not in guessed)]):
        encoding = next((e for e in encodings_of(label) if _strictly(data, e) is not None), "")
        if encoding and _is_text(sample.decode(encoding, "replace")):
            oddness = oddness_of(sample.decode(encoding, "replace"))
            is_odd = oddness > MAX_ODDNESS
            is_first = is_short and not is_odd and label == "gb18030"
            scored.append((is_odd, -1 if is_first else place, oddness, encoding))
    if not scored:
        broken = next((encodings_of(match.encoding)[0] for match in matches), "")
        return _replacing(data, broken, 0.0) if broken else None
    (_, place, oddness, encoding), rivals = min(scored), sorted(scored)[1:]
    is_alone = all(is_odd or rank >= len(guessed) for is_odd, rank, _, _ in rivals)
    is_usual = encoding not in _ONE_BYTE or is_one_language(sample.decode(encoding, "replace"))
    confidence = SURE if is_alone and is_usual and place < len(guessed) else UNSURE
    return Decoded(data.decode(encoding), encoding, confidence * (1 - min(1.0, oddness)))


def _cut_at_a_line(data: bytes) -> bytes:
    """The first lines from the first byte beyond ASCII on: what tells encodings apart."""
    first = next((place for place, byte in enumerate(data) if byte > 127), 0)
    start = max(data.rfind(b"\n", 0, first), first - _SAMPLE_BYTES // 4, 0)
    sample = data[start : start + _SAMPLE_BYTES]
    end = sample.rfind(b"\n")
    return sample[:end] if end > 0 and start + _SAMPLE_BYTES < len(data) else sample


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError):
        return None


def _replacing(data: bytes, encoding: str, confidence: float = 1.0) -> Decoded:
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    return Decoded(text, encoding, confidence, text.count("\ufffd"))


def _without_zeros(text: str) -> Decoded:
    """Zeros among letters are a program's leftovers: they split no word."""
    return Decoded(text.replace("\0", ""), "utf-8", 1.0, text.count("\0"))


def _is_text(text: str) -> bool:
    sample = text[:20_000]
    return len(_CONTROL.findall(sample)) <= _MAX_ODD_SHARE * len(sample)
