"""A third language is one data file more: its dates are read and its texts are cut."""

import re

from kb_service.language.dates import Calendar
from kb_service.language.lexicon import Lexicon, read_language
from kb_service.language.numerals import Numerals
from kb_service.language.text import normalise, sentence_end, sentence_spans
from kb_service.language.units import UnitCutter

GERMAN = r"""
[numerals]
words = { zwei = 2, drei = 3, "zwölf" = 12 }

[calendar]
months = { januar = 1, "märz" = 3, dezember = 12 }
dates = ['(?P<d>\d{1,2})\.\s*(?P<m><month>)\b(?:\s+(?P<y>\d{4}))?']

[sentences]
abbreviations = ["Nr", "Str"]

[layout]
headings = ['\s*Abschnitt \d+\b[^.]*$']
items = ['(?P<number>zwei|drei)\)']
labels = ['\s*[A-ZÄÖÜ][a-zäöüß]+[ \t]*:(?=\s|$)']
"""
LEXICON = Lexicon([read_language(GERMAN)])


def test_its_dates_are_read() -> None:
    text = normalise("Am 3. März 2024 und am 12. Dezember brannte es.")
    found = [value for _, (value, _) in Calendar(LEXICON).dates(text)]
    assert found == ["date:2024-3-3", "date:12-12"]


def test_its_numerals_are_read() -> None:
    assert [Numerals(LEXICON).whole_number(word) for word in ("zwölf", "7", "elf")] == [12, 7, None]


def test_its_texts_are_cut_into_units() -> None:
    cutter = UnitCutter(LEXICON)
    text = "Abschnitt 2 Ursache\nOrt: Haus Nr. 7\nEs brannte. Niemand wurde verletzt."
    units = [(unit.kind.value, unit.span.of(text)) for unit in cutter.units(text)]
    assert units == [
        ("heading", "Abschnitt 2 Ursache"),
        ("field", "Ort: Haus Nr. 7"),
        ("sentence", "Es brannte."),
        ("sentence", "Niemand wurde verletzt."),
    ]
    assert cutter.item_number("drei) Die Tür") == 3


def test_its_abbreviations_end_no_sentence() -> None:
    text = "Das Haus Nr. 7 brannte."
    spans = sentence_spans(text, sentence_end(LEXICON))
    assert [span.of(text) for span in spans] == [text]
    assert isinstance(sentence_end(LEXICON), re.Pattern)


def test_a_group_may_bear_the_name_of_what_can_be_filled_in() -> None:
    tables = {
        "numerals": {"words": {"ein": 1}},
        "parts": {"patterns": ["Teil (?P<numeral><numeral>)"]},
    }
    (pattern,) = Lexicon([tables]).patterns("parts", "patterns")
    assert re.fullmatch(pattern, "Teil ein")
