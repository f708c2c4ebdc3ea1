"""Web pages: every word that a reader sees, whatever it is wrapped in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.draft import DraftDocument
from ingest.web_page import add_html
from kb_service.domain.documents import ParsedDocument
from tests.ingest.growth import growth

INLINE = [
    *("a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "big", "blink", "button", "canvas"),
    *("cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "label", "map"),
    *("mark", "meter", "nobr", "object", "output", "picture", "progress", "q", "s", "samp"),
    *("slot", "small", "span", "st1:x", "strike", "strong", "sub", "sup", "time", "tt", "u"),
    *("var", "video", "o:p", "my-element", "layer"),
]
BLOCK = [
    *("address", "article", "aside", "blockquote", "center", "dd", "details", "dialog", "dir"),
    *("div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h6"),
    *("header", "hgroup", "legend", "li", "main", "menu", "multicol", "nav", "ol", "p", "pre"),
    *("search", "section", "summary", "ul"),
]


def read(page: str) -> ParsedDocument:
    draft = DraftDocument("a.html", 10**7)
    title = add_html(draft, page)
    draft.end_page()
    return draft.finish(title)


@pytest.mark.parametrize("tag", INLINE)
def test_the_words_of_an_inline_element_stay_in_their_sentence(tag: str) -> None:
    page = f"<p>The brake is <{tag}>not</{tag}> safe for use.</p>"
    assert read(page).text == "The brake is not safe for use."


@pytest.mark.parametrize("tag", BLOCK)
def test_the_words_of_a_block_and_of_what_follows_are_kept(tag: str) -> None:
    page = f"<p>Before it.</p><{tag}>The rope broke.</{tag}>After it.<p>The end.</p>"
    said = "Before it. The rope broke. After it. The end."
    assert read(page).text.split() == said.split()


@pytest.mark.parametrize("tag", ["embed", "source", "track", "keygen", "bgsound", "img", "wbr"])
def test_an_element_without_content_swallows_nothing(tag: str) -> None:
    assert read(f"<p>One <{tag}>two three.</p>").text == "One two three."


@given(
    st.recursive(
        st.text(alphabet="abc d", min_size=1, max_size=5).map(str.strip),
        lambda inner: st.tuples(
            st.sampled_from([*INLINE, *BLOCK]), st.lists(inner, max_size=3)
        ).map(lambda pair: f"<{pair[0]}>{' '.join(pair[1])}</{pair[0]}>"),
        max_leaves=12,
    )
)
@settings(deadline=None, max_examples=60)
def test_no_nesting_of_elements_loses_a_letter(markup: str) -> None:
    from lxml import html

    # The parser's own tree is the measure: it may move a misplaced element, but drops no words.
    tree = html.document_fromstring(f"<body>x {markup} y</body>")
    wanted = sorted("".join(tree.text_content().split()))
    found = read(f"<body>x {markup} y</body>").text
    assert not [letter for letter in wanted if letter not in found]
    assert sorted("".join(c for c in found if c in "abcdxy")) == wanted


def test_what_nobody_sees_is_left_out_and_what_follows_it_is_not() -> None:
    page = (
        "<p>One<script>no()</script> two<style>p{}</style> three<template>no</template> four"
        "<span style='display: none'>no</span> five<b hidden>no</b> six<!-- no --> seven"
        "<input type=hidden value=no> eight<iframe>no</iframe> nine</p>"
    )
    assert read(page).text == "One two three four five six seven eight nine"


def test_form_fields_say_their_values_and_pictures_their_words() -> None:
    page = (
        "<form><label>Inspector</label> <input value='Lin Xiaoyan'><textarea>Rope worn\n out"
        "</textarea><select><option>Quay one<option>Quay two</select><button>Send</button>"
        "<img src=a.png alt='the broken rope'></form>"
    )
    text = read(page).text
    for words in ("Inspector Lin Xiaoyan", "Rope worn\n out", "Quay one", "Quay two", "Send"):
        assert words in text
    assert "the broken rope" in text


def test_the_mark_of_an_item_stands_before_its_first_words() -> None:
    page = "<ul><li><p>Close the valve</p><p>twice</p></li><li><ol><li>Call</ol></li></ul>"
    assert read(page).text.split("\n\n") == ["• Close the valve", "twice", "1. Call"]


def test_lists_carry_their_numbers() -> None:
    page = "<ol start=3><li>a<li value=7>b<ul><li>inner</ul><li>c</ol><ol><li>again</ol>"
    assert read(page).text.split("\n\n") == ["3. a", "7. b", "• inner", "8. c", "1. again"]


@pytest.mark.parametrize(
    ("item", "text"),
    [("• Location: Depot 4", "• Location: Depot 4"), ("· 时间：九时", "· 时间：九时"),
     ("- a tap", "- a tap"), ("2) a tap", "2) a tap"), ("<h3>Taps</h3>", "Taps"),
     ("3.5 t of sand", "• 3.5 t of sand")],
)  # fmt: skip
def test_an_item_gets_no_second_mark(item: str, text: str) -> None:
    assert read(f"<ul><li>{item}</li></ul>").text == text


def test_a_term_and_what_is_said_of_it_stay_together() -> None:
    page = "<dl><dt>Place</dt><dd>Quay three</dd><dt>Cause</dt><dd>worn rope</dd></dl>"
    assert read(page).text == "Place\nQuay three\n\nCause\nworn rope"


def test_a_row_names_its_columns_also_where_cells_cover_several() -> None:
    page = (
        "<table><caption>Faults</caption><tr><td colspan=3>All quays</td></tr>"
        "<tr><th>Area<th>Item<th>State</tr>"
        "<tr><td rowspan=2>Quay\nthree<td>Rope<td>broken<br>replaced</tr><tr><td>Brake<td>worn</tr>"
        "<tr><td colspan=2>both<td>old</tr></table>"
    )
    assert read(page).text.split("\n\n") == [
        "Faults",
        "All quays",
        "Area; Item; State",
        "Area: Quay three; Item: Rope; State: broken replaced",
        "Area: Quay three; Item: Brake; State: worn",
        "Area: both; Item: both; State: old",
    ]


def test_a_table_that_lays_out_a_page_is_read_as_the_page() -> None:
    page = "<table><tr><td><h1>Notice</h1><p>The rope broke.</p></td><td>Side</td></tr></table>"
    document = read(page)
    assert document.text == "Notice\n\nThe rope broke.\n\nSide"
    assert [heading.level for heading in document.headings] == [1]


def test_line_ends_of_the_source_are_spaces_and_nothing_between_chinese_characters() -> None:
    assert read("<p>two\n men，制动\n  器坏了</p>").text == "two men，制动器坏了"


def test_preformatted_text_keeps_its_lines() -> None:
    assert read("<pre>a\n    b</pre><p>c\nd</p>").text == "a\n    b\n\nc d"


def test_the_reading_of_a_word_stands_behind_it() -> None:
    assert read("<p><ruby>山田<rt>やまだ</ruby>である</p>").text == "山田(やまだ)である"
    marked = "<p><ruby>山<rp>（</rp><rt>やま</rt><rp>）</rp></ruby></p>"
    assert read(marked).text == "山（やま）"


@pytest.mark.parametrize(
    "page",
    [
        "<html><body><p>One.</p></body></html>\nTwo. <b>Three.</b>",
        "<p>One.</p></html><p>Two.</p>Three.",
        "<html><body><p>One.</p></body></html><html><body><p>Two.</p><p>Three.</p></body></html>",
        "<p>One.</p></BODY ></HTML\n><head><title>x</title></head><p>Two.</p>Three.",
        "<body>One.</body><p>Two.</p></html><!-- c --><div>Three.</div>",
        "<body>One.<p>Two.</p>Three.</body></html> \n",
    ],
)
def test_words_behind_the_end_of_a_page_are_read(page: str) -> None:
    assert read(page).text.split() == ["One.", "Two.", "Three."]


ROW = "<tr><td>Item</td><td>State</td></tr>"


@pytest.mark.parametrize(
    "page",
    [
        f"<table>{ROW}<td>rope</td><td>not safe</td></tr></table>",
        f"<table><tbody>{ROW}<td>rope</td><th>not safe</th></tbody></table>",
        f"<table>{ROW}<td>rope</td><td>not safe</table>",
        f"<table>{ROW}</tr><p>rope</p>not safe</table>",
        f"<table>{ROW}<tr>rope<td></td><b>not safe</b></tr></table>",
        f"<table>{ROW}<tr><td>rope</td><a href=x><td>not safe</td></a></tr></table>",
        f"<table>{ROW}<tfoot>rope<i>not</i> safe</tfoot></table>",
    ],
)
def test_what_stands_in_a_table_outside_of_its_rows_is_read(page: str) -> None:
    said = read(page).text.replace("Item: ", "").replace("State: ", "").replace(";", "")
    assert said.split() == ["Item", "State", "rope", "not", "safe"]


def test_what_is_hidden_in_a_table_outside_of_its_rows_is_not_read() -> None:
    hidden = "<p hidden>gone</p><tbody style='display:none'>gone<td>gone</td></tbody>"
    assert read(f"<table>{ROW}{hidden}</table>").text == "Item; State"


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("<iframe srcdoc='&lt;p&gt;Not safe.&lt;/p&gt;'>x</iframe><p>End.</p>", "Not safe.|End."),
        ("<x-y><template shadowrootmode='open'><p>Not safe.</p></template></x-y>", "Not safe."),
        ("<template><p>Later.</p></template><p>Now.</p>", "Now."),
        ("<svg><title>Plan</title><text>A 3</text><text>A 4</text></svg>", "Plan|A 3|A 4"),
        ("<body><title>Hidden</title><p>Seen.</p></body>", "Seen."),
        ("<p>Press <button aria-label='Stop'></button> now.</p>", "Press Stop now."),
        ("<p><button aria-label='Stop it'>Stop</button></p>", "Stop"),
        ("<p>One<![CDATA[ & <two> ]]>three.</p>", "One & <two> three."),
    ],
)  # fmt: skip
def test_what_a_browser_shows_or_says_is_read(page: str, lines: str) -> None:
    assert read(page).text.split("\n\n") == lines.split("|")


@pytest.mark.parametrize("end", ["", "]]>"])
def test_quoted_text_that_never_ends_costs_no_more_than_its_length(end: str) -> None:
    assert growth(lambda num: read(end + "<![CDATA[ ab" * num + "<p>End.</p>"), 600) < 3


def test_quoted_text_without_an_end_hides_nothing_before_it() -> None:
    page = "<p>One<![CDATA[ & <two> ]]>three.</p><p>Four.</p><![CDATA[ five"
    assert read(page).text == "One & <two> three.\n\nFour."
