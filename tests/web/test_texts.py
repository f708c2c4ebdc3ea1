"""Every code that the service can send has words on the page, in both languages."""

import re
from enum import StrEnum

import pytest

from ingest import pdf
from kb_service.domain.answers import AnswerStatus
from kb_service.domain.documents import NO_TEXT_LAYER, DocumentStatus, PageKind
from kb_service.domain.jobs import JobStage
from kb_service.services.asking import Phase
from tests.api.test_docs import GUIDE, error_codes
from web import static_dir

I18N = static_dir() / "js" / "i18n"


def texts(language: str) -> dict[str, str]:
    """Key -> text of one language, as it stands in the files of the page."""
    found: dict[str, str] = {}
    for path in (I18N / f"{language}.js", *sorted(I18N.glob(f"*_{language}.js"))):
        source = path.read_text("utf-8")
        found |= dict(re.findall(r'^  (\w+): "(.*)",$', source, re.MULTILINE))
    return found


TEXTS = {language: texts(language) for language in ("en", "zh")}


def documented_codes() -> set[str]:
    """Every code that the error tables of the guide name."""
    table = GUIDE[GUIDE.index("| status | codes |") :]
    return set(re.findall(r"`([a-z_]+)`", table))


def answer_reasons() -> set[str]:
    """Every reason of an answer that the guide names."""
    said = GUIDE[GUIDE.index("`reason`: null, or why it was refused") :].splitlines()[0]
    return set(re.findall(r"`([a-z_]+)`", said)) - {"reason", "missing"}


def page_reasons() -> set[str]:
    line = next(line for line in GUIDE.splitlines() if line.startswith("`page_report`"))
    said = line[line.index("`reason`") : line.index("`losses`")]
    return set(re.findall(r"`([a-z_]+)`", said))


def losses() -> set[str]:
    """Every reason for which something of a file is not read."""
    line = next(line for line in GUIDE.splitlines() if line.startswith("`page_report`"))
    said = line[line.index("`what` the reason") :].split("Hidden files")[0]
    return set(re.findall(r"`([a-z_]+)`", said)) - {"what", "where", "sample", "num_words"}


@pytest.mark.parametrize("language", TEXTS)
def test_every_error_code_of_the_service_has_words(language: str) -> None:
    codes = set(error_codes()) | documented_codes()
    assert len(codes) > 100
    assert {code for code in codes if f"error_{code}" not in TEXTS[language]} == set()


@pytest.mark.parametrize("language", TEXTS)
def test_every_reason_of_an_answer_or_a_page_has_words(language: str) -> None:
    reasons = answer_reasons() | page_reasons()
    assert {"no_evidence", "document_deleted", NO_TEXT_LAYER, pdf.CORRUPT_PAGE} <= reasons
    shown = {"document_deleted": "answer_deleted"}  # said as the status of the whole answer
    others = {"reason", *DocumentStatus}
    keys = {shown.get(reason, f"reason_{reason}") for reason in reasons - others}
    assert keys - set(TEXTS[language]) == set()


@pytest.mark.parametrize("language", TEXTS)
def test_everything_that_is_not_read_of_a_file_has_words(language: str) -> None:
    assert "too_deep" in losses()
    assert {f"loss_{what}" for what in losses()} - set(TEXTS[language]) == set()


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("status", DocumentStatus),
        ("answer", AnswerStatus),
        ("stage", JobStage),
        ("pages", PageKind),
        ("phase", Phase),
    ],
)
def test_every_status_and_stage_has_words(language: str, kind: str, values: type[StrEnum]) -> None:
    assert {f"{kind}_{value}" for value in values} - set(TEXTS[language]) == set()


def values_of(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_both_languages_take_the_same_values_from_the_service() -> None:
    for key, text in TEXTS["en"].items():
        assert values_of(text) == values_of(TEXTS["zh"][key]), key


def test_no_chinese_text_is_left_in_english() -> None:
    same = {key for key, text in TEXTS["zh"].items() if text == TEXTS["en"][key]}
    bare = {key: re.sub(r"\{\w+\}", "", TEXTS["zh"][key]) for key in same}
    assert {key for key, text in bare.items() if re.search(r"[a-z]{4}", text)} == set()
