"""Reports of answers: what the file tells beside their words."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kb_service.domain.answers import Answer, AnswerStatus, Understood
from kb_service.domain.chats import Usage
from kb_service.domain.documents import KnowledgeBase
from kb_service.services.report_page import data_of
from kb_service.services.reports import ReportService

NOW = datetime(2026, 5, 8, tzinfo=UTC)
BASE = KnowledgeBase("kb_1", "reports", "", 1, 1, NOW, NOW)


@pytest.mark.parametrize(("question", "language"), [("谁修的水泵？", "zh"), ("Who did it?", "en")])
def test_the_page_is_in_the_language_of_its_answer(question: str, language: str) -> None:
    catalog: Any = SimpleNamespace(bases=SimpleNamespace(get=lambda _: BASE))
    answer = Answer(
        id="ans_1",
        kb_id=BASE.id,
        question=question,
        status=AnswerStatus.REFUSED,
        answer="-",
        reason="no_answer",
        citations=(),
        passages=(),
        conversation_id="conv_1",
        model="extractive",
        usage=Usage(),
        timings={},
        created_at=NOW,
        understood=Understood(question),
    )
    unused: Any = None
    page = ReportService(catalog, unused, lambda: NOW).of_answer(answer)
    assert data_of(page)["language"] == language
    assert f'<html lang="{language}">' in page
