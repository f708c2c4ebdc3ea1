"""The language of a text, by its script."""

import pytest

from kb_service.language.scripts import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("起火的原因是电气线路短路。", "zh"),
        ("Kafka集群在2015年8月的故障", "zh"),
        ("洩漏的原因", "zh"),
        ("The valve (阀门) failed at 14:20.", "en"),
        ("SG-2021-002", "en"),
        ("", "en"),
    ],
)
def test_more_characters_than_words_are_chinese(text: str, language: str) -> None:
    assert language_of(text) == language
