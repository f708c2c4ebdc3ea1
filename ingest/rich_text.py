"""RTF as text: every word that is shown, with the characters of each font.

Knows control words, groups and code pages (Rich Text Format 1.9.1). Groups of what is no text
(fonts, colours, pictures) are left out; footnotes, remarks and headers are kept as they come.
"""

import re
from dataclasses import dataclass, replace

from ingest.encodings import encodings_of

_TOKEN = re.compile(
    rb"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<byte>[0-9a-fA-F]{2})"
    rb"|\\(?P<symbol>[^A-Za-z])"
    rb"|(?P<open>\{)|(?P<close>\})|(?P<line>[\r\n]+)|(?P<text>[^\\{}\r\n]+)",
    re.DOTALL,
)
PARAGRAPH = "\n\n"
_NO_TEXT = frozenset((
    b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"objdata", b"themedata",
    b"colorschememapping", b"latentstyles", b"datastore", b"listtable", b"listoverridetable",
    b"rsidtbl", b"generator", b"filetbl", b"revtbl", b"xmlnstbl", b"mmathPr", b"fldinst",
    b"bkmkstart", b"bkmkend", b"atnid", b"atnauthor", b"atndate", b"atnref", b"atrfstart",
    b"atrfend", b"sp", b"panose", b"fldtype", b"datafield", b"pgdsctbl", b"userprops", b"ftnsep",
    b"ftnsepc", b"aftnsep", b"aftnsepc", b"nonshppict", b"operator", b"author", b"company",
))  # fmt: skip
_KEPT = frozenset((b"shptxt", b"shpinst", b"shp", b"listtext", b"pntext", b"upr", b"ud"))
_ASIDE = frozenset(
    (
        b"footnote",
        b"annotation",
        b"shptxt",
        b"header",
        b"headerl",
        b"headerr",
        b"headerf",
        b"footer",
        b"footerl",
        b"footerr",
        b"footerf",
    )
)
"""Groups whose words stand behind the paragraph that they hang on."""
_SIGNS = {
    b"par": "\n\n", b"sect": "\n\n", b"page": "\n\n", b"row": "\n", b"line": "\n", b"cell": "\t",
    b"nestcell": "\t", b"nestrow": "\n", b"tab": "\t", b"emdash": "—", b"endash": "–",
    b"bullet": "•", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"emspace": " ", b"enspace": " ", b"qmspace": " ",
}  # fmt: skip
_SYMBOLS = {
    b"~": "\xa0",
    b"_": "-",
    b"\n": "\n\n",
    b"\r": "\n\n",
    b"\\": "\\",
    b"{": "{",
    b"}": "}",
}
_CHARSETS = {
    0: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5",
    161: "cp1253", 162: "cp1254", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251",
    222: "cp874", 238: "cp1250",
}  # fmt: skip
"""Code pages by the character set of a font."""


@dataclass(slots=True)
class _Group:
    """What holds until the group ends."""

    is_text: bool = True
    is_hidden: bool = False
    is_deleted: bool = False
    is_aside: bool = False
    font: int = -1
    skipped: int = 1


class RichText:
    """Reads one file; `text` is what it shows."""

    def __init__(self, data: bytes) -> None:
        self._code_page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._pieces: list[str] = []
        self._aside: list[str] = []
        self._waiting = bytearray()
        self._groups = [_Group()]
        self._to_skip = 0
        self._defined_font: int | None = None
        self._is_destination = self._is_optional = False
        place = 0
        while match := _TOKEN.match(data, place):
            self._take(match)
            place = match.end()
            if match["word"] == b"bin":
                place += int(match["number"] or 0)  # bytes of a picture; braces among them are none
        self._flush()
        self.text = "".join([*self._pieces, "\n\n", *self._aside])

    def _take(self, match: re.Match[bytes]) -> None:
        kind = match.lastgroup if match.lastgroup != "number" else "word"
        group = self._groups[-1]
        if kind == "open":
            self._flush()
            self._groups.append(replace(group))
            self._is_destination, self._is_optional = True, False
            return
        if kind == "close":
            self._flush()
            if len(self._groups) > 1:
                self._groups.pop()
            self._to_skip = 0
        elif kind == "word":
            self._word(match["word"], match["number"], group)
        elif kind == "byte":
            self._byte(bytes.fromhex(match["byte"].decode()), group)
        elif kind == "symbol":
            if match["symbol"] == b"*":
                self._is_optional = True
                return
            self._say(_SYMBOLS.get(match["symbol"], ""), group)
        elif kind == "text":
            text = match["text"]
            skipped = min(self._to_skip, len(text))
            self._to_skip -= skipped
            self._byte(text[skipped:], group)
        if kind != "line":
            self._is_destination = False

    def _word(self, word: bytes, number: bytes | None, group: _Group) -> None:
        value = int(number) if number else None
        if self._is_destination and (
            word in _NO_TEXT or (self._is_optional and word not in _KEPT | _ASIDE)
        ):
            group.is_text = False
        if self._is_destination and word in _ASIDE:
            group.is_aside = True
            self._aside.append("\n\n")
        if word == b"u" and value is not None:
            self._say(chr(value % 0x10000), group)
            self._to_skip = group.skipped
        elif word == b"uc":
            group.skipped = value if value is not None else 1
        elif word in (b"ansicpg", b"f", b"fcharset", b"plain"):
            self._encoding(word, value, group)
        elif word == b"v":
            group.is_hidden = value != 0
        elif word == b"deleted":
            group.is_deleted = value != 0
        elif word in _SIGNS:
            self._say(_SIGNS[word], group)

    def _encoding(self, word: bytes, value: int | None, group: _Group) -> None:
        self._flush()
        if word == b"ansicpg" and value is not None:
            self._code_page = next(iter(encodings_of(f"cp{value}")), "cp1252")
        elif word == b"fcharset" and self._defined_font is not None and value is not None:
            self._fonts[self._defined_font] = _CHARSETS.get(value, "")
        elif word == b"plain":
            group.is_hidden = group.is_deleted = False
        elif value is not None:
            group.font = self._defined_font = value

    def _byte(self, data: bytes, group: _Group) -> None:
        if self._to_skip and len(data) == 1:
            self._to_skip -= 1
        elif group.is_text and not group.is_hidden and not group.is_deleted:
            self._waiting += data

    def _say(self, words: str, group: _Group) -> None:
        self._flush()
        if words and group.is_text and not group.is_hidden and not group.is_deleted:
            self._add(words, group)

    def _add(self, words: str, group: _Group) -> None:
        if group.is_aside:
            self._aside.append(words)
            return
        self._pieces.append(words)
        if words == PARAGRAPH and self._aside:
            self._pieces += [*self._aside, PARAGRAPH]
            self._aside.clear()

    def _flush(self) -> None:
        """Decode the bytes that wait: several may make one character."""
        if self._waiting:
            label = self._fonts.get(self._groups[-1].font) or self._code_page
            encoding = next(iter(encodings_of(label)), "cp1252")
            words = bytes(self._waiting).decode(encoding, "replace")
            self._waiting.clear()
            self._add(words, self._groups[-1])


def rich_text(data: bytes) -> str:
    """Return the text of an RTF file; pairs of surrogates are one character."""
    text = RichText(data).text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
