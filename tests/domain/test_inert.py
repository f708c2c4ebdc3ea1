"""Words of documents in a client that renders them: nothing acts, and no word is lost."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kb_service.domain.inert import InertText, inert
from kb_service.domain.spans import TextSpan

ACTIVE = {
    "a script": "<script>alert(1)</script>",
    "an image": "![a](http://127.0.0.1:9/x)",
    "a link": "[press](javascript:alert(1))",
    "a link with a title": '[a](<data:text/html,x> "t")',
    "an image by reference": "![a][b]\n\n[b]: http://127.0.0.1:9/x",
    "a link by reference": "[a]\n\n[a]: javascript:alert(1)",
    "a definition over two lines": "[a\nb]:\n http://127.0.0.1:9/x\n\n[a b]",
    "an address in brackets": "<http://127.0.0.1:9/x>",
    "an e-mail in brackets": "<ann@host.example>",
    "nested brackets": "[![a](http://127.0.0.1:9/x)](http://127.0.0.1:9/y)",
    "data in an image": "![a](data:image/svg+xml;base64,PHN2Zz4=)",
    "an event handler": "<img src=x onerror=alert(1)>",
    "a closing tag": "</div><b\nonclick=x>",
    "a comment": "<!--x--><!DOCTYPE html><?php x ?>",
    "capitals": "<ScRiPt SRC=//127.0.0.1:9></ScRiPt>",
    "a fence": "```html\n<iframe src=x></iframe>\n```\n~~~mermaid\nA\n~~~",
    "a link in a heading": "[a](http://127.0.0.1:9)\n===",
    "a link in a table": "| a |\n|---|\n| [x](http://127.0.0.1:9) |",
}
HARMLESS = [
    "Pressure < 5 bar [1], flow > 3 (see [2]), P-7 & P-8; 5<7; a [note] (below).",
    "阀门（V-3）在 10:20 关闭[1]。压力<5，《规程》第 3 条：严禁烟火！[注] 见图 2。",
    "# Title\n- item *a* **b** `code` ~5 ~ 6\n> quote\n\n| a | b |\n|---|---|",
    "See https://host.example/report.png and C:\\new\\[old]\\x.",
]


class Tags(HTMLParser):
    """Collects whatever a browser would take for mark-up."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        self.found.append(data)

    def handle_decl(self, decl: str) -> None:
        self.found.append(decl)

    def handle_pi(self, data: str) -> None:
        self.found.append(data)


def tags_of(text: str) -> list[str]:
    tags = Tags()
    tags.feed(text)
    tags.close()
    return tags.found


def active_parts(text: str) -> list[str]:
    """Name what acts when a text is shown as Markdown, and when it is shown as HTML."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # the laxest client
    tokens = reader.parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = [token.type for token in (*tokens, *inline)]
    acting = ("link_open", "image", "html_inline", "html_block", "fence")
    return [kind for kind in kinds if kind in acting] + tags_of(text)


@pytest.mark.parametrize("name", ACTIVE)
def test_what_acts_is_shown_as_its_words(name: str) -> None:
    assert active_parts(ACTIVE[name])
    shown = inert(ACTIVE[name])
    assert active_parts(shown) == []
    assert shown.replace(" ", "") == ACTIVE[name].replace(" ", "")


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


MARKS = st.text(st.sampled_from("!<>[]()`~:/?ab \n\\&#\"'=-泵;"), max_size=40)


@settings(max_examples=500, deadline=None)
@given(MARKS)
def test_nothing_made_of_marks_acts(text: str) -> None:
    shown = inert(text)
    assert active_parts(shown) == []
    assert shown.replace(" ", "") == text.replace(" ", "")


@settings(max_examples=200, deadline=None)
@given(st.lists(MARKS, max_size=5), st.integers(0, 60), st.integers(0, 60))
def test_spans_point_at_the_same_words_wherever_a_stream_is_cut(
    pieces: list[str], first: int, second: int
) -> None:
    text, machine = "".join(pieces), InertText()
    shown = "".join(map(machine.feed, pieces))
    assert shown == inert(text)
    start, end = sorted((min(first, len(text)), min(second, len(text))))
    words = machine.place(TextSpan(start, end)).of(shown)
    assert words.replace(" ", "") == text[start:end].replace(" ", "")
    assert words == words.strip(" ") or text[start:end] != text[start:end].strip(" ")
