"""Reports are labelled in every language alike, and have words for every reason of an answer."""

import re

import pytest

from kb_service.language.lexicon import shipped_languages
from kb_service.language.report_words import report_reason
from tests.conftest import ROOT

LANGUAGES = sorted(shipped_languages())


def named_reasons() -> set[str]:
    """The reasons that the guide of the API names."""
    guide = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    _, told = guide.split("`reason`: null, or why it was refused")
    line = told.split("\n")[0]
    return set(re.findall(r"`([a-z_]+)`", line)) - {"missing"}


def test_every_language_has_the_same_labels_with_the_same_places() -> None:
    tables = [shipped_languages()[language] for language in LANGUAGES]
    for name in ("report", "report_reasons"):
        places = [
            {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in table[name].items()}
            for table in tables
        ]
        assert all(one == places[0] for one in places)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_that_an_answer_can_have_is_said_in_words(language: str) -> None:
    reasons = named_reasons()
    assert len(reasons) > 10
    assert [code for code in sorted(reasons) if report_reason(code, language) == code] == []
