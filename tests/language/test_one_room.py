"""Natural language stands in one room: the data files and modules of kb_service/language."""

from benchmarks.house import LANGUAGE, natural_literals, product_sources
from tests.conftest import ROOT


def test_no_literal_of_a_natural_language_stands_outside_its_room() -> None:
    speaking = {
        source.name
        for source in product_sources(ROOT)
        if not source.name.startswith(LANGUAGE) and natural_literals(source)
    }
    assert speaking == set()
