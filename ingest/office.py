"""OfficeLoader: docx, pptx, html and Markdown through unstructured, offline.

Knows unstructured's elements and turns them into blocks, headings and pages without boxes. Knows
nothing of encodings (`plain_text`), sheets (`tables`) or limits on time and memory (`sandbox`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.draft import DraftDocument
from ingest.limits import ParseLimits
from ingest.media_types import DOCX, HTML, MARKDOWN, PPTX
from ingest.offline_nlp import keep_offline
from ingest.plain_text import decode, section_level
from ingest.tables import row_texts
from kb_service.domain.documents import BLANK_PAGE, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

NO_TEXT_LAYER = "no_text_layer"
_PROGRAM_TITLES = ("PowerPoint Presentation", "Presentation", "Word Document")
_NO_LANGUAGE = [""]  # tells unstructured not to guess languages, which takes most of its time
_SKIPPED = frozenset({"PageBreak", "PageNumber", "Image"})
_HIDDEN_TAGS = "//script|//style|//template|//noscript|//svg|//head/*[not(self::title)]|//iframe"
_MAX_DEPTH = 255
"""libxml2 stops at this depth and drops the rest of the page."""
_HIDDEN_STYLE = ("display:none", "visibility:hidden")


class OfficeLoader:
    """Loader for docx and html and md (one page, or Word's own pages) and pptx (page = slide)."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars)
        if media_type == PPTX:
            yield from self._load_slides(path, name, draft)
            return
        title = ""
        metadata: dict[str, str] = {}
        reason = BLANK_PAGE
        if media_type == HTML:
            title = add_html(draft, decode(path.read_bytes(), name))
        elif media_type == MARKDOWN:
            _add_markdown(draft, decode(path.read_bytes(), name))
        elif media_type == DOCX:
            title, metadata, reason = _add_word(draft, path)
        else:
            raise ValueError(f"OfficeLoader does not read {media_type}")
        draft.end_page(reason)
        yield Progress(JobStage.LOAD, draft.num_pages, draft.num_pages)
        yield draft.finish(title, metadata)

    def _load_slides(
        self, path: Path, name: str, draft: DraftDocument
    ) -> Iterator[Progress | ParsedDocument]:
        keep_offline()
        from pptx import Presentation
        from unstructured.partition.pptx import partition_pptx

        presentation = Presentation(str(path))
        num_slides = len(presentation.slides)
        if num_slides > self._limits.max_pages:
            raise DocumentError(
                f"{name} has {num_slides} slides, at most {self._limits.max_pages} are read",
                code="too_many_pages",
                details={"num_pages": num_slides, "max_pages": self._limits.max_pages},
            )
        elements: dict[int, list[Element]] = {}
        for element in partition_pptx(
            filename=str(path), include_page_breaks=False, languages=_NO_LANGUAGE
        ):
            elements.setdefault(element.metadata.page_number or 1, []).append(element)
        for number, slide in enumerate(presentation.slides, start=1):
            for element in elements.get(number, []):
                _add_element(draft, element, deepest_heading=1)
            draft.end_page(NO_TEXT_LAYER if _has_picture(slide) else BLANK_PAGE)
            yield Progress(JobStage.LOAD, number, num_slides)
        properties = presentation.core_properties
        yield draft.finish(_own_title(properties), _author(properties))


def _has_picture(slide: Any) -> bool:  # noqa: ANN401 - python-pptx has no types
    return any(hasattr(shape, "image") or shape.has_chart for shape in slide.shapes)


def _add_word(draft: DraftDocument, path: Path) -> tuple[str, dict[str, str], str]:
    """Add a docx; pages follow the breaks Word recorded. Return title, metadata, empty reason."""
    keep_offline()
    from docx import Document
    from unstructured.partition.docx import partition_docx

    elements = partition_docx(filename=str(path), include_page_breaks=False, languages=_NO_LANGUAGE)
    number = 1
    for element in elements:
        while (element.metadata.page_number or number) > number:
            draft.end_page()
            number += 1
        _add_element(draft, element)
    document = Document(str(path))
    reason = NO_TEXT_LAYER if document.inline_shapes else BLANK_PAGE
    return _own_title(document.core_properties), _author(document.core_properties), reason


def _own_title(properties: Any) -> str:  # noqa: ANN401 - python-docx has no types
    title = str(properties.title or "")
    return "" if title in _PROGRAM_TITLES else title


def _author(properties: Any) -> dict[str, str]:  # noqa: ANN401 - python-docx has no types
    author = str(properties.author or "")
    return {"author": "" if author in ("python-docx", "Microsoft Office User") else author}


def _add_markdown(draft: DraftDocument, text: str) -> None:
    keep_offline()
    from unstructured.partition.md import partition_md

    if text.strip():
        for element in partition_md(text=text, languages=_NO_LANGUAGE):
            _add_element(draft, element)


def add_html(draft: DraftDocument, text: str) -> str:
    """Add the visible text of a web page; return its title, "" when it has none.

    Raises DocumentError (corrupt_document) where the parser would leave out what lies deeper.
    """
    keep_offline()
    from lxml import etree, html
    from unstructured.partition.html import partition_html

    if not text.strip():
        return ""
    parser = html.HTMLParser(encoding="utf-8")
    tree = html.document_fromstring(text.encode("utf-8"), parser)
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise DocumentError(
            f"elements are nested deeper than {_MAX_DEPTH} levels, the limit of the HTML parser",
            details={"max_depth": _MAX_DEPTH},
        )
    title = tree.findtext(".//title") or ""
    for node in [*tree.xpath(_HIDDEN_TAGS), *tree.xpath("//title"), *_hidden_nodes(tree)]:
        if node.getparent() is not None:
            node.drop_tree()
    etree.strip_elements(tree, etree.Comment, with_tail=False)
    visible = html.tostring(tree, encoding="unicode")
    if tree.text_content().strip():
        for element in partition_html(text=visible, languages=_NO_LANGUAGE):
            _add_element(draft, element)
    return " ".join(title.split())


def _hidden_nodes(tree: Any) -> list[Any]:  # noqa: ANN401 - lxml has no types
    styled = [
        node
        for node in tree.xpath("//*[@style]")
        if any(rule in node.get("style").replace(" ", "").lower() for rule in _HIDDEN_STYLE)
    ]
    return [*styled, *tree.xpath("//*[@hidden]"), *tree.xpath("//input[@type='hidden']")]


def _add_element(draft: DraftDocument, element: "Element", deepest_heading: int = 6) -> None:
    if element.category in _SKIPPED:
        return
    if element.category == "Table" and element.metadata.text_as_html:
        for text in row_texts(_table_rows(element.metadata.text_as_html)):
            draft.add(text)
        return
    draft.add(element.text, _level(element, deepest_heading))


def _level(element: "Element", deepest_heading: int) -> int:
    depth = element.metadata.category_depth
    if element.category == "Title" and depth is not None:
        return depth + 1 if depth < deepest_heading else 0
    return section_level(element.text)


def _table_rows(markup: str) -> Iterator[list[str]]:
    from lxml import html

    for row in html.fragment_fromstring(markup).iter("tr"):
        yield [cell.text_content() for cell in row if cell.tag in ("td", "th")]
