"""Natural language stands in one room: the data files and modules of kb_service/language."""

from benchmarks.house import LANGUAGE, natural_literals, product_sources
from tests.conftest import ROOT

# The rules by which the built-in reader chooses and shortens its quotations. A trained reader takes
# their place; until then they stand where they will be taken out. Nothing is added here.
RULES_OF_THE_READER = {
    f"kb_service/generation/{name}.py"
    for name in (
        "contradictions",
        "extractive",
        "fields",
        "reading",
        "slots",
        "span_features",
        "typed_spans",
    )
}


def test_no_literal_of_a_natural_language_stands_outside_its_room() -> None:
    speaking = {
        source.name
        for source in product_sources(ROOT)
        if not source.name.startswith(LANGUAGE) and natural_literals(source)
    }
    assert speaking == RULES_OF_THE_READER
