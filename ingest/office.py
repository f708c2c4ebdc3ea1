"""OfficeLoader: docx, html and Markdown by walks of our own, pptx through unstructured, offline.

Knows which reader reads what, and turns unstructured's elements of slides into blocks. Knows
nothing of encodings (`plain_text`), sheets (`tables`) or limits on time and memory (`sandbox`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.draft import DraftDocument
from ingest.limits import ParseLimits
from ingest.markdown import add_markdown
from ingest.media_types import DOCX, HTML, MARKDOWN, PPTX
from ingest.offline_nlp import keep_offline
from ingest.plain_text import decode, section_level
from ingest.tables import row_texts
from ingest.web_page import add_html
from ingest.word import NO_TEXT_LAYER, add_word
from kb_service.domain.documents import BLANK_PAGE, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

_PROGRAM_TITLES = ("PowerPoint Presentation", "Presentation", "Word Document")
_NO_LANGUAGE = [""]  # tells unstructured not to guess languages, which takes most of its time
_SKIPPED = frozenset({"PageBreak", "PageNumber", "Image"})


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
            add_markdown(draft, decode(path.read_bytes(), name))
        elif media_type == DOCX:
            title, metadata, reason = add_word(draft, path, name)
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
                _add_element(draft, element)
            draft.end_page(NO_TEXT_LAYER if _has_picture(slide) else BLANK_PAGE)
            yield Progress(JobStage.LOAD, number, num_slides)
        properties = presentation.core_properties
        yield draft.finish(_own_title(properties), _author(properties))


def _has_picture(slide: Any) -> bool:  # noqa: ANN401 - python-pptx has no types
    return any(hasattr(shape, "image") or shape.has_chart for shape in slide.shapes)


def _own_title(properties: Any) -> str:  # noqa: ANN401 - python-docx has no types
    title = str(properties.title or "")
    return "" if title in _PROGRAM_TITLES else title


def _author(properties: Any) -> dict[str, str]:  # noqa: ANN401 - python-docx has no types
    author = str(properties.author or "")
    return {"author": "" if author in ("python-docx", "Microsoft Office User") else author}


def _add_element(draft: DraftDocument, element: "Element") -> None:
    if element.category in _SKIPPED:
        return
    if element.category == "Table" and element.metadata.text_as_html:
        for text in row_texts(_table_rows(element.metadata.text_as_html)):
            draft.add(text)
        return
    draft.add(element.text, _level(element))


def _level(element: "Element") -> int:
    # Only the title of a slide is a heading; what is set in from it is not.
    is_title = element.category == "Title" and element.metadata.category_depth == 0
    return 1 if is_title else section_level(element.text)


def _table_rows(markup: str) -> Iterator[list[str]]:
    from lxml import html

    for row in html.fragment_fromstring(markup).iter("tr"):
        yield [cell.text_content() for cell in row if cell.tag in ("td", "th")]
