"""The words of packages of XML, by the text between tags: the dumb count beside their loaders.

Knows which parts of a package and which elements hold what a reader sees; knows no loader.
"""

import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from ingest.office_package import UNREADABLE
from kb_service.language.lexicon import CJK

MAX_PART_BYTES = 64 * 1024 * 1024
TAG = re.compile(r"<[^>]*>")
COMMENT = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[|\]\]>|<!DOCTYPE[^>\[]*>", re.DOTALL | re.I)
_WORD = re.compile(f"[{CJK}]|[^\\W_{CJK}]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text: Latin ones whole, Chinese ones by the character."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text.replace("\u00ad", ""))
    return _WORD.findall(plain.casefold())


@dataclass(frozen=True, slots=True)
class Count:
    """Words of a file. `said_once`: those that need be said only once, however often they stand.

    `text`: of a file that is nothing else, whose words are counted where they may be missing.
    """

    words: Counter[str]
    said_once: frozenset[str] = frozenset()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """How a package of XML is counted: the parts by pattern, what is no text, what ends a word."""

    counted: str
    once: str
    left_out: str
    ends: str

    def count(self, path: Path) -> Count:
        """Count the words of the parts."""
        words: Counter[str] = Counter()
        once: set[str] = set()
        with zipfile.ZipFile(path) as package:
            for entry in package.infolist():
                name = entry.filename.replace("\\", "/").lstrip("/")
                is_counted = re.fullmatch(self.counted, name) is not None
                is_once = bool(self.once) and re.fullmatch(self.once, name) is not None
                if (is_counted or is_once) and entry.file_size <= MAX_PART_BYTES:
                    found = words_of(self.text_of(_read(package, entry)))
                    if is_counted:
                        words.update(found)
                    else:
                        once.update(found)
        return Count(words, frozenset(once))

    def text_of(self, data: bytes) -> str:
        """Return the text between the tags of a part."""
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
        text = COMMENT.sub("", data.decode(encoding, "replace"))
        if self.left_out:
            text = re.sub(self.left_out, "", text, flags=re.DOTALL)
        return unescape(TAG.sub("", re.sub(self.ends, " ", text)))


def _read(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return a part, nothing of a damaged one: what the text needs of those, its loader names."""
    try:
        return package.read(entry)
    except UNREADABLE:
        return b""


_INDENT = r"|(?<=>)\s*\n\s*(?=<)"
"""Line ends that a program put between the elements of Office Open XML; they stand for nothing."""


def _element(*names: str) -> str:
    """A pattern of whole elements, of any prefix where none is given.

    The outermost of those that hold one another is taken apart.
    """
    own = [name if ":" in name else rf"(?:\w+:)?{name}" for name in names]
    return "|".join(rf"<{name}(?:\s[^>]*[^/>])?>.*?</{name}>" for name in own)


WORD_FILE = Parts(
    counted=r"word/(?:document|footnotes|endnotes)\d*\.xml",
    once=r"word/(?:header|footer|comments)\d*\.xml",
    left_out=_element(
        "mc:Fallback", "w:del", "w:moveFrom", "w:instrText", "w:delText", "w:sectPr", "w:pPr",
        "w:rt",
        "wp:posOffset", "wp:align", "wp14:pctWidth", "wp14:pctHeight", "wp14:sizeRelH", "a:ext",
        "wp14:pctPosHOffset", "wp14:pctPosVOffset", "w:binData",
    ) + r"|<w:r(?:\s[^>]*)?>(?:(?!</w:r>).)*?<w:vanish/>.*?</w:r>" + _INDENT,
    ends=r"</?w:p(?:\s[^>]*)?>|<w:tab/>|<w:br[^>]*>|<w:cr/>|</w:tc>|<w:noBreakHyphen/>|<w:sym[^>]*>"
    r"|<w:ptab[^>]*>|</m:r>|</m:oMath>",
)  # fmt: skip
SLIDES = Parts(
    counted=r"ppt/(?:slides/slide\d+|diagrams/data\d+)\.xml",
    once=r"ppt/(?:notesSlides/notesSlide\d+|comments/.*)\.xml",
    left_out=_element("mc:Fallback", "p:extLst", "a:extLst", "a:tableStyleId")
    + r'|<a:fld [^>]*type="(?:slidenum|datetime[^"]*)"[^>]*>.*?</a:fld>'
    + _INDENT,
    ends=r"</a:p>|<a:br[^>]*>",
)
SHEETS = Parts(
    counted=r"(?!)",
    once=r"xl/(?:comments\d*|comments/comment\d+|threadedComments/threadedComment\d+"
    r"|drawings/drawing\d+|worksheets/sheet\d+)\.xml",
    left_out=_element(
        "rPh",
        "mc:Fallback",
        "author",
        "v",
        "f",
        "formula1",
        "formula2",
        "formula",
        "(?:odd|even|first)(?:Header|Footer)",
        "xdr:col",
        "xdr:colOff",
        "xdr:row",
        "xdr:rowOff",
    )
    # Comments that only stand for threads say them again, with words of the program.
    + r"|<(?:\w+:)?comments\b(?=.*<(?:\w+:)?author>tc=).*"
    + _INDENT,
    ends=r"</(?:\w+:)?(?:si|is|comment|threadedComment)>|</a:p>|_x[0-9A-Fa-f]{4}_",
)
OPEN_DOCUMENT = Parts(
    counted=r"content\.xml",
    once=r".*/content\.xml",
    left_out=_element(
        "text:tracked-changes", "text:page-number", "text:page-count", "office:forms",
        "office:meta", "text:ruby-text", "office:scripts", "number:text", "dc:date", "dc:creator",
        "meta:creator-initials", "loext:sender-initials", "office:automatic-styles",
        r"text:[\w-]+-source", "text:note-citation",
    ),
    ends=r"</text:(?:p|h)>|<text:(?:s|tab|line-break)[^>]*>|</svg:(?:title|desc)>"
    r"|</table:table-cell>|</?(?:text:note|office:annotation)(?:\s[^>]*)?>",
)  # fmt: skip


_STRINGS = re.compile(r"(?:.*/)?sharedStrings\d*\.xml")
_STRING = re.compile(rb"<(?:\w+:)?si(?:\s[^>]*)?>(.*?)</(?:\w+:)?si>", re.DOTALL)
_SHARED = re.compile(rb"<(?:\w+:)?c\s[^>]*\bt=[\"']s[\"']")
_PLACE = re.compile(_SHARED.pattern + rb"[^>]*>\s*(?:<(?:\w+:)?f\b.*?</(?:\w+:)?f>\s*)?"
                    rb"<(?:\w+:)?v>\s*(\d+)", re.DOTALL)  # fmt: skip


def count_workbook(path: Path) -> Count:
    """Count the words of a workbook; a shared string counts where a cell still refers to it."""
    found = SHEETS.count(path)
    words = set(found.said_once)
    with zipfile.ZipFile(path) as package:
        entries = [e for e in package.infolist() if e.file_size <= MAX_PART_BYTES]
        strings = [_read(package, e) for e in entries if _STRINGS.fullmatch(e.filename)]
        used = _used_strings(_read(package, e) for e in entries if "/worksheets/" in e.filename)
    for data in strings:
        parts = enumerate(_STRING.findall(data))
        shown = (part + b"</si>" for place, part in parts if used is None or place in used)
        words.update(words_of(SHEETS.text_of(b"".join(shown))))
    return Count(found.words, frozenset(words))


def _used_strings(sheets: Iterator[bytes]) -> set[int] | None:
    """Return the places of the strings that cells name, None where a cell is written oddly."""
    used: set[int] = set()
    for data in sheets:
        places = _PLACE.findall(data)
        if len(places) != len(_SHARED.findall(data)):
            return None
        used.update(map(int, places))
    return used
