"""The language of a text, by its script."""

import pytest

from kb_service.language.scripts import language_of, nearest_language


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


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("起火的原因是电气线路短路。", "zh"),
        ("pool = tuple(x) # 随机选取\nreturn pool[k]  # 长度为一", "zh"),
        ("The valve failed at ten past two, and nobody in the control room saw it (阀).", "en"),
        ("12:30", "en"),
    ],
)
def test_a_listing_with_chinese_comments_is_near_to_chinese_texts(text: str, language: str) -> None:
    assert nearest_language(text) == language
