"""What kind of file this is: by its first bytes, then by its name.

Knows signatures and suffixes; reads no file and parses nothing. A name is a hint only: a PDF called
notes.txt is a PDF.
"""

import codecs
import re
from pathlib import PurePosixPath

from ingest.encodings import looks_like_text
from kb_service.domain.errors import DocumentError

PDF = "application/pdf"
_OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = f"{_OOXML}wordprocessingml.document"
PPTX = f"{_OOXML}presentationml.presentation"
XLSX = f"{_OOXML}spreadsheetml.sheet"
HTML = "text/html"
MAIL = "message/rfc822"
WEB_ARCHIVE = "multipart/related"
CALENDAR, CARD = "text/calendar", "text/vcard"
MARKDOWN = "text/markdown"
PLAIN_TEXT = "text/plain"
CSV = "text/csv"
TSV = "text/tab-separated-values"

DOC, PPT = "application/msword", "application/vnd.ms-powerpoint"
WPS = "application/vnd.ms-works"
XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
XLS = "application/vnd.ms-excel"
MSG = "application/vnd.ms-outlook"
_ODF = "application/vnd.oasis.opendocument."
ODT, ODS, ODP = f"{_ODF}text", f"{_ODF}spreadsheet", f"{_ODF}presentation"
EPUB = "application/epub+zip"
RTF = "application/rtf"
JSON = "application/json"
XML = "application/xml"
ZIP = "application/zip"
PNG, JPEG, TIFF, WEBP = "image/png", "image/jpeg", "image/tiff", "image/webp"
GIF, BMP = "image/gif", "image/bmp"

PACKAGES = frozenset({DOCX, PPTX, XLSX, XLSB, ODT, ODS, ODP, EPUB})
OFFICE_XML = frozenset({DOCX, PPTX, XLSX})
PAGED_OR_MARKED_UP = frozenset({DOCX, PPTX, HTML, MARKDOWN, ODT, ODS, ODP, EPUB})
TABLES = frozenset({XLSX, XLSB, XLS, CSV, TSV})
MAILS = frozenset({MAIL, MSG})
ARCHIVES = frozenset({ZIP})
TEXTS = frozenset({PLAIN_TEXT, CALENDAR, CARD, RTF, JSON, XML})
PICTURES = frozenset({PNG, JPEG, TIFF, WEBP, GIF, BMP})

_BY_SUFFIX = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".pptx": PPTX,
    ".xlsx": XLSX,
    ".docm": DOCX,
    ".dotx": DOCX,
    ".dotm": DOCX,
    ".pptm": PPTX,
    ".ppsx": PPTX,
    ".ppsm": PPTX,
    ".potx": PPTX,
    ".potm": PPTX,
    ".xlsm": XLSX,
    ".xltx": XLSX,
    ".xltm": XLSX,
    ".xls": XLS,
    ".xlsb": XLSB,
    ".odt": ODT,
    ".ods": ODS,
    ".odp": ODP,
    ".ott": ODT,
    ".ots": ODS,
    ".otp": ODP,
    ".rtf": RTF,
    ".epub": EPUB,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".xht": HTML,
    ".shtml": HTML,
    ".mht": WEB_ARCHIVE,
    ".mhtml": WEB_ARCHIVE,
    ".ics": CALENDAR,
    ".vcf": CARD,
    ".eml": MAIL,
    ".msg": MSG,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".csv": CSV,
    ".tsv": TSV,
    ".json": JSON,
    ".jsonl": JSON,
    ".ndjson": JSON,
    ".xml": XML,
    ".zip": ZIP,
    ".png": PNG,
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".jfif": JPEG,
    ".gif": GIF,
    ".bmp": BMP,
    ".tif": TIFF,
    ".tiff": TIFF,
    ".webp": WEBP,
    ".txt": PLAIN_TEXT,
    ".text": PLAIN_TEXT,
    ".log": PLAIN_TEXT,
    ".rst": PLAIN_TEXT,
    ".org": PLAIN_TEXT,
    ".yaml": PLAIN_TEXT,
    ".yml": PLAIN_TEXT,
    ".toml": PLAIN_TEXT,
    ".ini": PLAIN_TEXT,
    ".conf": PLAIN_TEXT,
    ".cfg": PLAIN_TEXT,
    ".properties": PLAIN_TEXT,
    "": PLAIN_TEXT,
}
SUPPORTED_SUFFIXES = tuple(suffix for suffix in _BY_SUFFIX if suffix)
_CONVERTED = {
    ".doc": DOC, ".dot": DOC, ".ppt": PPT, ".pps": PPT, ".pot": PPT, ".dps": PPT, ".wps": WPS,
    ".wpt": WPS,
}  # fmt: skip
"""Old files that only a program outside reads, by suffix; those of WPS are of the same make."""
_OOXML_TYPES = frozenset({DOCX, PPTX, XLSX, XLSB})
_BINARY_SUFFIXES = frozenset({PDF, XLS, MSG, RTF, ZIP, *PACKAGES, *PICTURES})
_PICTURE_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"II*\0", TIFF),
    (0, b"MM\0*", TIFF),
    (8, b"WEBP", WEBP),
    (0, b"GIF8", GIF),
    (0, b"BM", BMP),
)

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "a video or HEIC picture"),
    (0, b"RIFF", "an audio or video file"),
    (0, b"ID3", "an MP3 file"),
    (0, b"OggS", "an Ogg file"),
    (0, b"Rar!\x1a", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a Windows program"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"%!PS", "a PostScript file; save it as .pdf"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RTF = b"{\\rtf"
_ZIP, _EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
_OOXML_PART = b"[Content_Types].xml"
_FIRST_NAME = slice(30, 30 + len(_OOXML_PART))
_ZIP_MARK_WITHIN = 256
_PDF_WITHIN = 1024
_ZIP_MARKS = tuple((b"mimetype" + kind.encode(), kind) for kind in (EPUB, ODT, ODS, ODP))
"""The first entry of such packages says what they are."""
_ZIP_PARTS = ((b"word/", DOCX), (b"ppt/", PPTX), (b"xl/", XLSX))
_HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?>.*?-->)\s*)*+<(?:!doctype\s+html|html[\s>])", re.I | re.S
)
_MAIL_FIELD = re.compile(
    rb"(?im)^(mime-version|message-id|received|return-path|delivered-to|content-type|from|to|subject|date):"
)
_SAVED_PAGE = re.compile(rb"(?im)^snapshot-content-location:")
_SURE_MAIL_FIELDS = frozenset({b"mime-version", b"message-id", b"received", b"return-path"})


def accepted_suffixes(convertible: frozenset[str]) -> tuple[str, ...]:
    """Return the suffixes of what is read, with those that converters read."""
    converted = (suffix for suffix, kind in _CONVERTED.items() if kind in convertible)
    return (*SUPPORTED_SUFFIXES, *converted)


def detect_media_type(name: str, head: bytes, convertible: frozenset[str] = frozenset()) -> str:
    """Return the media type of a file from its first HEAD_BYTES and its name.

    `convertible`: old kinds that a program of this machine reads. Raises DocumentError:
    empty_document for no bytes, encrypted_document for a locked Office file, converter_missing for
    an old kind that nothing here reads, unsupported_media_type for everything else that is not
    read, naming what the file is.
    """
    if not head:
        raise DocumentError(f"{name} is empty (0 bytes)", code="empty_document")
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    by_name = _BY_SUFFIX.get(suffix)
    if b"%PDF-" in (head if by_name == PDF else head[:_PDF_WITHIN]):
        return PDF
    if head.startswith(_EMPTY_ZIP):
        return ZIP
    if head.startswith(_ZIP):
        return _package_type(name, head, by_name)
    if head.startswith(_OLE):
        return _legacy_type(name, suffix, by_name, convertible)
    if head.startswith(_RTF):
        return RTF
    picture = picture_type(head)
    if picture:
        return picture
    for offset, signature, kind in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature and _is_sure(signature, head):
            raise _unsupported(name, kind)
    return _text_type(name, head, suffix, by_name)


def picture_type(head: bytes) -> str | None:
    """Return the media type of a picture that is read, None for everything else."""
    for offset, signature, media_type in _PICTURE_SIGNATURES:
        if head[offset : offset + len(signature)] == signature and _is_sure(signature, head):
            return media_type
    return None


def drawn_type(head: bytes) -> str | None:
    """Return the media type of a file whose pages can be drawn, None for every other."""
    return PDF if b"%PDF-" in head[:_PDF_WITHIN] else picture_type(head)


def _is_sure(signature: bytes, head: bytes) -> bool:
    """Two letters may begin a text as well; real binaries hold zero bytes soon."""
    return len(signature) > 3 or b"\0" in head[:64] or signature[0] > 0x7E


def _package_type(name: str, head: bytes, by_name: str | None) -> str:
    for mark, media_type in _ZIP_MARKS:
        if mark in head[:_ZIP_MARK_WITHIN]:
            return media_type
    if by_name == ZIP and head[_FIRST_NAME] != _OOXML_PART:
        return ZIP
    if b"xl/workbook.bin" in head or by_name == XLSB:
        return XLSB
    for part, media_type in _ZIP_PARTS:
        if part in head:
            return media_type
    if by_name in PACKAGES:
        return by_name or PLAIN_TEXT
    if head[_FIRST_NAME] == _OOXML_PART:
        raise _unsupported(name, "a package of an unknown kind")
    return ZIP


def _legacy_type(name: str, suffix: str, by_name: str | None, convertible: frozenset[str]) -> str:
    if suffix in _CONVERTED:
        if _CONVERTED[suffix] in convertible:
            return _CONVERTED[suffix]
        raise converter_missing(name)
    if by_name in (XLS, MSG):
        return by_name or PLAIN_TEXT
    if by_name in _OOXML_TYPES:
        raise DocumentError(
            f"{name} is encrypted; remove its password and upload it again",
            code="encrypted_document",
        )
    raise _unsupported(name, "an old Office file of an unknown kind; save it as .docx or .pptx")


def converter_missing(name: str) -> DocumentError:
    """Return the refusal of a file that only a program outside reads."""
    return DocumentError(
        f"{name} is an old Office or WPS file: install LibreOffice, or catdoc for its words alone,"
        " on the machine of the service, or save it as .docx or .pptx",
        code="converter_missing",
        details={"name": name},
    )


def _text_type(name: str, head: bytes, suffix: str, by_name: str | None) -> str:
    if not looks_like_text(head):
        raise _unsupported(name, "unknown binary data")
    plain = _without_wide_zeros(head)
    if _HTML_START.match(plain):
        return HTML
    if _is_web_archive(plain, by_name):
        return WEB_ARCHIVE
    if by_name == MAIL or _is_mail(plain):
        return MAIL
    if by_name is None:
        raise _unsupported(name, f"a {suffix} file")
    if by_name in _BINARY_SUFFIXES or by_name == WEB_ARCHIVE:
        raise _unsupported(name, "plain text")
    return by_name


def _without_wide_zeros(head: bytes) -> bytes:
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"")


def _is_web_archive(plain: bytes, by_name: str | None) -> bool:
    """True for a web page saved as the parts of a mail, whatever it is called."""
    block = re.split(rb"\r?\n\r?\n", plain, maxsplit=1)[0]
    is_saved = _SAVED_PAGE.search(block) is not None
    return is_saved or (by_name == WEB_ARCHIVE and _MAIL_FIELD.search(block) is not None)


def _is_mail(plain: bytes) -> bool:
    block = re.split(rb"\r?\n\r?\n", plain, maxsplit=1)[0]
    fields = {match.group(1).lower() for match in _MAIL_FIELD.finditer(block)}
    return len(fields) >= 3 and bool(fields & _SURE_MAIL_FIELDS)


def _unsupported(name: str, kind: str) -> DocumentError:
    return DocumentError(
        f"{name} is {kind}; supported are {', '.join(SUPPORTED_SUFFIXES)}",
        code="unsupported_media_type",
        details={"name": name, "found": kind, "supported": list(SUPPORTED_SUFFIXES)},
    )
