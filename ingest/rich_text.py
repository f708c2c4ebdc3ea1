"""RTF as text: every word that is shown, with the characters of each font, and its pictures.

Knows control words, groups and code pages (Rich Text Format 1.9.1). Groups of what is no text
(fonts, colours) are left out; footnotes, remarks and headers are kept as they come; a picture
stands behind its paragraph.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from ingest.bitmaps import with_head
from ingest.encodings import encodings_of
from ingest.office_package import described

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
    b"shprslt",
))  # fmt: skip
_KEPT = frozenset((
    b"shptxt", b"shpinst", b"shp", b"do", b"listtext", b"pntext", b"upr", b"ud",
))  # fmt: skip
_ASIDE = frozenset(
    (
        b"footnote",
        b"annotation",
        b"shptxt",
        b"dptxbxtext",
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


_DESCRIPTION = b"wzDescription"
"""The property of a picture that says what it shows."""
_NO_HEX = re.compile(rb"[^0-9A-Fa-f]")


@dataclass(slots=True)
class _Group:
    """What holds until the group ends; `picture` and `name` take bytes of this group alone."""

    picture: bytearray | None = None
    is_bitmap: bool = False
    name: bytearray | None = None
    said_from: int | None = None
    is_fallback: bool = False
    is_text: bool = True
    is_hidden: bool = False
    is_deleted: bool = False
    is_aside: bool = False
    font: int = -1
    skipped: int = 1


class RichText:
    """Reads one file; `parts` are what it shows: words, and the bytes of pictures.

    `is_cut_short`: it breaks off before its last group ends.
    """

    def __init__(self, data: bytes) -> None:
        self._code_page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._pieces: list[str | bytes] = []
        self._aside: list[str | bytes] = []
        self._pictures: list[bytes] = []
        self._property = b""
        self._said_before: int | None = None
        self._waiting = bytearray()
        self._groups = [_Group()]
        self._to_skip = 0
        self._defined_font: int | None = None
        self._is_destination = self._is_optional = False
        place = 0
        while match := _TOKEN.match(data, place):
            self._take(match)
            place = match.end()
            if match["word"] == b"bin":  # bytes of a picture; braces among them are none
                size = max(int(match["number"] or 0), 0)
                if self._groups[-1].picture is not None:
                    self._groups[-1].picture += data[place : place + size].hex().encode()
                place += size
        self._flush()
        self.is_cut_short = len(self._groups) > 1
        self.parts = [*self._pieces, PARAGRAPH, *self._aside, *self._pictures]

    def _take(self, match: re.Match[bytes]) -> None:
        kind = match.lastgroup if match.lastgroup != "number" else "word"
        group = self._groups[-1]
        if kind == "open":
            self._flush()
            self._groups.append(replace(group, picture=None, name=None, said_from=None))
            self._is_destination, self._is_optional = True, False
            return
        if kind == "close":
            self._flush()
            if len(self._groups) > 1:
                self._close(self._groups.pop())
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
        if self._is_destination:
            self._begin(word, group)
        if word == b"u" and value is not None:
            self._say(chr(value % 0x10000), group)
            self._to_skip = group.skipped
        elif word == b"uc":
            group.skipped = value if value is not None else 1
        elif word in (b"ansicpg", b"f", b"fcharset", b"plain"):
            self._encoding(word, value, group)
        elif word == b"dibitmap":
            group.is_bitmap = True
        elif word == b"v":
            group.is_hidden = value != 0
        elif word == b"deleted":
            group.is_deleted = value != 0
        elif word in _SIGNS:
            self._say(_SIGNS[word], group)

    def _begin(self, word: bytes, group: _Group) -> None:
        """A group aside, of a picture, or of a property of one: its name, then its value."""
        if word in _ASIDE:
            group.is_aside = True
            self._aside.append(PARAGRAPH)
        elif word == b"upr":
            self._said_before = len(self._pieces)
        elif word == b"ud" and not group.is_aside and self._said_before is not None:
            del self._pieces[self._said_before :]  # the same in the characters of a code page
            self._said_before = None
        elif word == b"nonshppict":
            group.is_fallback = True  # the picture before it once more, for old programs
        elif word == b"pict" and not group.is_fallback:
            group.picture = bytearray()
        elif word == b"sn":
            group.name = bytearray()
        elif word == b"sv" and self._property == _DESCRIPTION:
            group.is_text, group.is_aside = True, False
            group.said_from = len(self._pieces)

    def _close(self, group: _Group) -> None:
        if group.picture:
            digits = _NO_HEX.sub(b"", group.picture)
            data = bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
            self._pictures.append(with_head(data) if group.is_bitmap else data)
        if group.name is not None:
            self._property = bytes(group.name).strip()
        if group.said_from is not None:
            said = "".join(p for p in self._pieces[group.said_from :] if isinstance(p, str))
            self._pieces[group.said_from :] = [f" {words} "] if (words := described(said)) else []

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
        elif group.picture is not None:
            group.picture += data
        elif group.name is not None:
            group.name += data
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
        if words == PARAGRAPH and (self._aside or self._pictures):
            self._pieces += [*self._pictures, *self._aside, PARAGRAPH]
            self._aside.clear()
            self._pictures.clear()

    def _flush(self) -> None:
        """Decode the bytes that wait: several may make one character."""
        if self._waiting:
            label = self._fonts.get(self._groups[-1].font) or self._code_page
            encoding = next(iter(encodings_of(label)), "cp1252")
            words = bytes(self._waiting).decode(encoding, "replace")
            self._waiting.clear()
            self._add(words, self._groups[-1])


def rich_parts(read: RichText) -> Iterator[str | bytes]:
    """Yield the text of an RTF file and its pictures; pairs of surrogates are one character."""
    for is_text, run in groupby(read.parts, key=lambda part: isinstance(part, str)):
        if is_text:
            text = "".join(map(str, run))
            yield text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        else:
            yield from run


def rich_text(data: bytes) -> str:
    """Return the text of an RTF file without its pictures."""
    return "".join(part for part in rich_parts(RichText(data)) if isinstance(part, str))
