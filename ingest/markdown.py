"""Markdown as blocks of text: CommonMark with tables, rendered and read as a web page.

Knows which raw tags are mark-up and which are words: `<font>` is a tag, `<host>` and `List<String>`
are what the author wrote. Knows no file.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from ingest.draft import DraftDocument
from ingest.plain_text import add_text
from ingest.web_page import add_html
from kb_service.domain.errors import DocumentError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock

MAX_NESTING = 100
"""Quotes and lists inside one another; the renderer drops what is nested deeper than it is told."""

MAX_OPEN_BRACKETS = 1000

_TAG = re.compile(r"</?([A-Za-z][\w:.-]*)[^<>]*>")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_OFFICE = re.compile(r"(?:o|w|v|m|st1):\w+")
_NEWER_TAGS = (
    "article aside audio bdi canvas data datalist details dialog embed figcaption figure footer "
    "header hgroup main mark meter nav output picture progress rp rt ruby search section slot "
    "source summary svg template time track video wbr nobr blink marquee"
)
"""Elements that lxml's list of HTML 4 does not have."""

_NESTED = re.compile(rf"(?m)^(?:[ \t]*(?:>|[-*+]|\d{{1,9}}[.)])){{{MAX_NESTING}}}")

_BOLD_LABEL = r"\*\*[^*\n]{1,60}(?:[:\uff1a]\*\*|\*\*[ ]?[:\uff1a])"
_LABELLED_LINE = re.compile(rf"(?m)^(?P<line>{_BOLD_LABEL}[^\n]*[^\s\\])\n(?={_BOLD_LABEL})")
"""A line that begins with a label in bold, over another one: each is told by itself."""


def add_markdown(draft: DraftDocument, text: str) -> None:
    """Add the text as a reader of the rendered page sees it, or as written where it is no page."""
    front = _FRONT_MATTER.match(text)
    if front:
        draft.add(front.group(1))
        text = text[front.end() :]
    if _NESTED.search(text) or _has_open_brackets(text):
        add_text(draft, text)
        return
    text = _LABELLED_LINE.sub(r"\g<line>  \n", text)
    try:
        add_html(draft, _renderer().render(text))
    except (RecursionError, DocumentError):  # nested deeper than either parser reads
        add_text(draft, text)


def _has_open_brackets(text: str) -> bool:
    """True for more unclosed brackets than a text has: the parser looks for the end of each."""
    return text.count("[") - text.count("]") > MAX_OPEN_BRACKETS


@cache
def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML

    class Renderer(RendererHTML):
        """Shows a raw tag that is none of HTML as the words it is."""

        def html_inline(self, tokens, idx, options, env):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - as its base
            return _words_shown(tokens[idx].content)

        def html_block(self, tokens, idx, options, env):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - as its base
            return _words_shown(tokens[idx].content)

    options = {"maxNesting": 2 * MAX_NESTING, "html": True}
    markdown = MarkdownIt("commonmark", options, renderer_cls=Renderer)
    markdown.block.ruler.at("table", _whole_table, {"alt": ["paragraph", "reference"]})
    return markdown.enable(["table", "strikethrough"])


def _whole_table(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """Read a table with the cells that a row has beyond the columns of its head.

    GitHub leaves them out of the page; they are the author's words.
    """
    from markdown_it.rules_block.table import table

    before = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    tokens, state.tokens[before:] = state.tokens[before:], []
    num_columns = sum(token.type == "th_open" for token in tokens)
    row = start
    for token in tokens:
        row = token.map[0] if token.type == "tr_open" and token.map else row
        if token.type == "tr_close" and row > start:
            _add_cells(state, _cells_of(state, row)[num_columns:])
        state.tokens.append(token)
    return True


def _cells_of(state: "StateBlock", row: int) -> list[str]:
    from markdown_it.rules_block.table import escapedSplit

    line = state.src[state.bMarks[row] + state.tShift[row] : state.eMarks[row]].strip()
    cells = escapedSplit(line.removeprefix("|"))
    return cells if cells[-1].strip() else cells[:-1]


def _add_cells(state: "StateBlock", cells: list[str]) -> None:
    for words in cells:
        state.push("td_open", "td", 1)
        token = state.push("inline", "", 0)
        token.content, token.children = words.strip(), []
        state.push("td_close", "td", -1)


def _words_shown(markup: str) -> str:
    """Escape the tags that are not HTML's."""
    return _TAG.sub(
        lambda tag: tag.group() if _is_html(tag.group(1)) else tag.group().replace("<", "&lt;"),
        markup,
    )


def _is_html(name: str) -> bool:
    from lxml.html import defs

    return (
        name.lower() in defs.tags
        or name.lower() in _NEWER_TAGS.split()
        or bool(_OFFICE.fullmatch(name.lower()))
    )
