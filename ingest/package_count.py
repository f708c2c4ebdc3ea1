"""The words of packages of XML, by the text between tags: the dumb count beside their loaders.

Knows which parts of a package and which elements hold what a reader sees; knows no loader.
"""

import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path

from ingest.markup import end_named, without, without_remarks, without_tags
from ingest.office_package import UNREADABLE
from kb_service.language.lexicon import CJK

MAX_PART_BYTES = 64 * 1024 * 1024
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


@dataclass(frozen=True)
class Parts:
    """How a package of XML is counted: the parts by pattern, what is no text, what ends a word.

    `left_out`: elements, of any prefix where none is given; the outermost of those that hold one
    another is taken apart. `before`: what is left out first.
    """

    counted: str
    once: str
    left_out: tuple[str, ...]
    ends: str
    before: tuple[Callable[[str], str], ...] = ()

    @cached_property
    def _opening(self) -> re.Pattern[str]:
        names = "|".join(n if ":" in n else rf"(?:\w+:)?{n}" for n in self.left_out)
        return re.compile(rf"<(?P<name>{names})(?:\s[^<>]*[^/<>])?>")

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
        text = without_remarks(data.decode(encoding, "replace"))
        for change in self.before:
            text = change(text)
        text = without(text, self._opening, _end_of)
        return unescape(without_tags(re.sub(self.ends, " ", text)))


def _read(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return a part, nothing of a damaged one: what the text needs of those, its loader names."""
    try:
        return package.read(entry)
    except UNREADABLE:
        return b""


_INDENT = re.compile(r"(?<=>)\s+(?=<)")
_RUN, _HIDES = re.compile(r"<w:r(?:\s[^<>]*)?>"), "<w:vanish/>"
_FIELD = re.compile(r"<a:fld\s[^<>]*>")
_OF_THE_PROGRAM = re.compile(r'\stype="(?:slidenum|datetime)')
_SOURCE = r"[\w-]+-source"
"""What an index is made from."""
_THREADS = re.compile(r"<(?:\w+:)?author>tc=")
_COMMENTS = re.compile(r"<(?:\w+:)?comments\b")


def _end_of(opening: re.Match[str]) -> re.Pattern[str]:
    name = opening.group("name").rpartition(":")[2]
    return end_named(_SOURCE if name.endswith("-source") else name)


def _without_indent(text: str) -> str:
    """Leave out line ends that a program put between elements; they stand for nothing."""
    return _INDENT.sub(lambda found: "" if "\n" in found.group() else found.group(), text)


def _without_hidden_runs(text: str) -> str:
    return without(text, _RUN, lambda _: end_named("r"), if_holds=_HIDES)


def _without_fields(text: str) -> str:
    """Leave out what the program writes anew on each slide: its number, the day."""
    return without(
        text,
        _FIELD,
        lambda found: end_named("fld") if _OF_THE_PROGRAM.search(found.group()) else None,
    )


def _without_stand_ins(text: str) -> str:
    """Leave out comments that only stand for threads: they say them again, in other words."""
    found = _COMMENTS.search(text) if _THREADS.search(text) else None
    return text[: found.start()] if found else text


WORD_FILE = Parts(
    counted=r"word/(?:document|footnotes|endnotes)\d*\.xml",
    once=r"word/(?:header|footer|comments)\d*\.xml",
    left_out=(
        "mc:Fallback", "w:del", "w:moveFrom", "w:instrText", "w:delText", "w:sectPr", "w:pPr",
        "w:rt",
        "wp:posOffset", "wp:align", "wp14:pctWidth", "wp14:pctHeight", "wp14:sizeRelH", "a:ext",
        "wp14:pctPosHOffset", "wp14:pctPosVOffset", "w:binData",
    ),
    before=(_without_hidden_runs, _without_indent),
    ends=r"</?w:p(?:\s[^<>]*)?>|<w:tab/>|<w:br[^<>]*>|<w:cr/>|</w:tc>|<w:noBreakHyphen/>|<w:sym[^<>]*>"
    r"|<w:ptab[^<>]*>|</m:r>|</m:oMath>",
)  # fmt: skip
SLIDES = Parts(
    counted=r"ppt/(?:slides/slide\d+|diagrams/data\d+)\.xml",
    once=r"ppt/(?:notesSlides/notesSlide\d+|comments/.*)\.xml",
    left_out=("mc:Fallback", "p:extLst", "a:extLst", "a:tableStyleId"),
    before=(_without_fields, _without_indent),
    ends=r"</a:p>|<a:br[^<>]*>",
)
SHEETS = Parts(
    counted=r"(?!)",
    once=r"xl/(?:comments\d*|comments/comment\d+|threadedComments/threadedComment\d+"
    r"|drawings/drawing\d+|worksheets/sheet\d+)\.xml",
    left_out=(
        "rPh",
        "mc:Fallback",
        "author",
        "v",
        "f",
        "formula1",
        "formula2",
        "formula",
        "oddHeader",
        "oddFooter",
        "evenHeader",
        "evenFooter",
        "firstHeader",
        "firstFooter",
        "xdr:col",
        "xdr:colOff",
        "xdr:row",
        "xdr:rowOff",
    ),
    before=(_without_stand_ins, _without_indent),
    ends=r"</(?:\w+:)?(?:si|is|comment|threadedComment)>|</a:p>|_x[0-9A-Fa-f]{4}_",
)
OPEN_DOCUMENT = Parts(
    counted=r"content\.xml",
    once=r".*/content\.xml",
    left_out=(
        "text:tracked-changes", "text:page-number", "text:page-count", "office:forms",
        "office:meta", "text:ruby-text", "office:scripts", "number:text", "dc:date", "dc:creator",
        "meta:creator-initials", "loext:sender-initials", "office:automatic-styles",
        f"text:{_SOURCE}", "text:note-citation",
    ),
    ends=r"</text:(?:p|h)>|<text:(?:s|tab|line-break)[^<>]*>|</svg:(?:title|desc)>"
    r"|</table:table-cell>|</?(?:text:note|office:annotation)(?:\s[^<>]*)?>",
)  # fmt: skip


_STRINGS = re.compile(r"(?:.*/)?sharedStrings\d*\.xml")
_STRING_BEGINS = re.compile(rb"<(?:\w+:)?si(?:\s[^<>]*)?>")
_STRING_ENDS = re.compile(rb"</(?:\w+:)?si>")
_SHARED = re.compile(rb"<(?:\w+:)?c\s[^<>]*\bt=[\"']s[\"']")
_PLACE = re.compile(
    rb"<(?:\w+:)?c(\s[^<>]*)>\s*(?:<(?:\w+:)?f\b[^<>]*>(?:[^<]*</(?:\w+:)?f>)?\s*)?"
    rb"<(?:\w+:)?v>\s*(\d+)"
)
_IS_SHARED = re.compile(rb"\bt=[\"']s[\"']")


def count_workbook(path: Path) -> Count:
    """Count the words of a workbook; a shared string counts where a cell still refers to it."""
    found = SHEETS.count(path)
    words = set(found.said_once)
    with zipfile.ZipFile(path) as package:
        entries = [e for e in package.infolist() if e.file_size <= MAX_PART_BYTES]
        strings = [_read(package, e) for e in entries if _STRINGS.fullmatch(e.filename)]
        used = _used_strings(_read(package, e) for e in entries if "/worksheets/" in e.filename)
    for data in strings:
        parts = enumerate(_strings(data))
        shown = (part + b"</si>" for place, part in parts if used is None or place in used)
        words.update(words_of(SHEETS.text_of(b"".join(shown))))
    return Count(found.words, frozenset(words))


def _strings(data: bytes) -> Iterator[bytes]:
    """Yield what each shared string holds, in one pass."""
    place = 0
    while begun := _STRING_BEGINS.search(data, place):
        ended = _STRING_ENDS.search(data, begun.end())
        if ended is None:
            return
        yield data[begun.end() : ended.start()]
        place = ended.end()


def _used_strings(sheets: Iterator[bytes]) -> set[int] | None:
    """Return the places of the strings that cells name, None where a cell is written oddly."""
    used: set[int] = set()
    for data in sheets:
        places = [place for said, place in _PLACE.findall(data) if _IS_SHARED.search(said)]
        if len(places) != len(_SHARED.findall(data)):
            return None
        used.update(map(int, places))
    return used
