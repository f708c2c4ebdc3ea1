"""What is shown of an answer: every text hidden, and quotes as their place in the whole text is."""

from types import SimpleNamespace
from typing import Any

import pytest

from kb_service.domain.errors import InvalidRequest, RightMissing
from kb_service.domain.masking import Masking, PersonalKind, PersonRole
from kb_service.domain.spans import TextSpan
from kb_service.services.veiled import Veiling, masked_bodies
from kb_service.services.veils import MaskingService, Place, Veil, marks_of
from kb_service.storage.maskings import KeptText

ALL = Masking(frozenset(PersonalKind), frozenset(PersonRole))
TEXT = "受害人李红摔倒。李红的电话：8765432，银行卡 6222 0210 0111 6245 702。"


class OneText:
    """A base of one document, whose facts name nobody."""

    def texts(self, kb_id: str, places: Any) -> list[KeptText]:  # noqa: ANN401  places
        kept = KeptText(1, "doc_1", "ab", is_current=True, facts=())
        return [kept] if kb_id == "kb_1" and list(places) else []

    def text(self, revision_id: int) -> str:
        return TEXT

    def every(self) -> dict[str, Masking]:
        return {"kb_1": ALL}

    def newest_person(self, kb_id: str) -> int:
        return 0

    def newest_correction(self, kb_id: str) -> tuple[int, int]:
        return 0, 0

    def people(self, kb_id: str) -> list[tuple[str, str]]:
        return [("赵敏", "目击者")] if kb_id == "kb_1" else []


@pytest.fixture
def veiling() -> Veiling:
    service = MaskingService(OneText(), lambda _: [("doc_1", "ab")])  # type: ignore[arg-type]  # a fake
    return Veiling(service, {"kb_1": ALL})


def quote(start: int, end: int) -> dict[str, Any]:
    source = {"start": start, "end": end, "pages": []}
    cited = {"document_id": "doc_1", "revision": "ab", "title": "李红"}
    return {**cited, "cited_text": TEXT[start:end], "source": source}


def test_a_quote_that_begins_inside_a_number_is_masked_as_the_whole_is(veiling: Veiling) -> None:
    marks = marks_of(TEXT, ALL)
    masked = marks.within(TEXT, TextSpan(0, len(TEXT)))
    assert masked == "受害人李*摔倒。李*的电话：8******，银行卡 **** **** **** ***5 702。"
    for start in range(len(TEXT)):
        for end in range(start, len(TEXT) + 1):
            shown = veiling.shown(quote(start, end), "kb_1")
            assert shown["cited_text"] == masked[start:end]


def test_what_the_sources_hide_is_hidden_in_every_other_text(veiling: Veiling) -> None:
    answer = {"kb_id": "kb_1", "answer": "李红打8765432找赵敏", "citations": [quote(0, 3)]}
    shown = veiling.shown(answer, None)
    assert shown["answer"] == "李*打8******找赵*"
    assert shown["citations"][0]["title"] == "李*"


def test_a_message_is_hidden_by_what_its_answer_was_made_from(veiling: Veiling) -> None:
    talk = {"kb_id": "kb_1", "messages": [{"content": "李红", "answer_id": "ans_1"}]}
    assert veiling.shown(talk, None)["messages"][0] == {"content": "李*", "answer_id": "ans_1"}


def test_another_base_stays_as_it_is_and_what_is_of_none_is_hidden(veiling: Veiling) -> None:
    items = [{"kb_id": kb, "title": "电话13812345678"} for kb in ("kb_1", "kb_2")]
    shown = veiling.shown({"items": items, "message": "13812345678"}, None)
    assert [item["title"] for item in shown["items"]] == ["电话138****5678", "电话13812345678"]
    assert shown["message"] == "138****5678"


def test_names_of_things_and_small_numbers_stay(veiling: Veiling) -> None:
    thing = {"id": "doc_13812345678", "size_bytes": 13812345678, "status": "ready", "score": 0.5}
    assert veiling.shown(thing, "kb_1") == thing


def test_a_long_number_in_a_cell_is_hidden(veiling: Veiling) -> None:
    cells = [{"value": 110105194912310021}, {"value": 13812345678.0}, {"value": 12}]
    shown = [cell["value"] for cell in veiling.shown(cells, "kb_1")]
    assert shown == ["*" * 18, "138****5678", 12]


def test_a_fact_has_no_number_beside_its_hidden_words(veiling: Veiling) -> None:
    start = TEXT.index("8765432")
    span = {"start": start, "end": start + 7}
    fact = {"document_id": "doc_1", "revision": "ab", "field": "phone", "value": "8765432"}
    fact |= {"text": "8765432", "span": span, "number": 8765432.0, "number_to": None}
    shown = veiling.shown(fact, "kb_1")
    assert (shown["value"], shown["text"], shown["number"]) == ("8******", "8******", None)


@pytest.mark.parametrize(
    ("base", "shown"), [("kb_1", "电话138****5678"), ("kb_2", "电话13812345678")]
)
def test_what_is_posted_is_masked_for_everybody(base: str, shown: str) -> None:
    service = MaskingService(OneText(), lambda _: [])  # type: ignore[arg-type]  # a fake
    change: Any = SimpleNamespace(watch_id="watch_1")
    body_of = masked_bodies(
        service, lambda _: {"new": {"answer": "电话13812345678"}}, {"watch_1": base}.get
    )
    assert body_of(change) == {"new": {"answer": shown}}


def test_tokens_of_a_prompt_are_no_way_to_its_words(veiling: Veiling) -> None:
    assert veiling.shown({"audit": {"prompt_token_ids": [1, 2]}}, "kb_1") == {
        "audit": {"prompt_token_ids": []}
    }


def test_filters_that_tell_nothing_hidden_are_let_through(veiling: Veiling) -> None:
    asked = {"op": "count", "filters": {"kind": ["fire"], "fields": {"injured": {"min": 1}}}}
    assert veiling.asked(asked, "kb_1") == asked
    for filters in ({"fields": {"身份证号": {"min": 1.0}}}, {"fields": {"reporter": "李"}}):
        with pytest.raises(RightMissing) as refused:
            veiling.asked({"filters": filters}, "kb_1")
        assert refused.value.code == "personal_data_masked"


@pytest.mark.parametrize(
    "own",
    [
        {"kb_id": "kb_2"},
        {"id": "kb_2", "masking": 1},
        {"document_id": "doc_1", "revision": "ab", "quote": "x", "start": 0, "end": 2},
        {"unsure": [], "document_id": "doc_1", "revision": "ab"},
    ],
)
def test_no_field_of_who_asks_shows_what_is_hidden(veiling: Veiling, own: dict[str, Any]) -> None:
    said = {"text": "13812345678", "content": [{"quote": "13812345678", **own}], **own}
    asked = veiling.asked({"messages": [said]}, "kb_1")["messages"][0]
    assert asked["text"] == "138****5678"
    assert "13812345678" not in str(asked)


@pytest.mark.parametrize(
    "odd",
    [
        {"quote": "x"},
        {"span": {}, "text": "b"},
        {"span": 1},
        {"start": "q", "end": 1, "text": "b"},
        {"start": 3, "end": 1, "text": "b"},
        {"cited_text": "b", "source": {"start": None, "end": 2}},
        {"field": "phone", "span": {"start": 0, "end": 1}},
        {"unsure": 1},
    ],
)
def test_fields_that_are_no_quote_are_words(veiling: Veiling, odd: dict[str, Any]) -> None:
    assert veiling.shown(odd, "kb_1") == odd
    assert veiling.asked(odd | {"question": "a"}, "kb_1") == odd | {"question": "a"}


def test_what_is_asked_is_not_endlessly_deep(veiling: Veiling) -> None:
    deep: Any = "a"
    for _ in range(700):
        deep = [deep]
    with pytest.raises(InvalidRequest) as refused:
        veiling.asked({"question": deep}, "kb_1")
    assert refused.value.code == "invalid_json"


def test_quotes_are_not_read_for_what_their_text_has_told(
    veiling: Veiling, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    words = Veil.words

    def counted(veil: Veil, text: str) -> str:
        read.append(text)
        return words(veil, text)

    monkeypatch.setattr(Veil, "words", counted)
    shown = veiling.shown(quote(0, len(TEXT)), "kb_1")
    assert shown["cited_text"].startswith("受害人李*摔倒")
    assert read == ["李红"]


def test_what_a_base_hides_is_read_once_however_many_of_its_things_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def noted(name: str) -> Any:  # noqa: ANN401  a method
        method = getattr(OneText, name)

        def call(*given: Any) -> Any:  # noqa: ANN401  whatever it takes
            read.append(name)
            return method(*given)

        return call

    for name in ("newest_person", "people"):
        monkeypatch.setattr(OneText, name, noted(name))
    service = MaskingService(OneText(), lambda _: [])  # type: ignore[arg-type]  # a fake
    both = Veiling(service, {"kb_1": ALL, "kb_3": ALL})
    items = [{"kb_id": kb, "title": "赵敏"} for kb in ("kb_1", "kb_3") * 20]
    shown = both.shown({"items": items}, "kb_1")["items"]
    assert [item["title"] for item in shown] == ["赵*", "赵敏"] * 20
    assert sorted(read) == ["newest_person"] * 2 + ["people"] * 2
    both.shown({"items": items}, "kb_1")
    assert read.count("newest_person") == 4


def test_an_answer_that_a_talk_repeats_is_read_once() -> None:
    read: list[str] = []

    def places(answer_id: str) -> list[Place]:
        read.append(answer_id)
        return [("doc_1", "ab")]

    service = MaskingService(OneText(), places)  # type: ignore[arg-type]  # a fake
    talks = [
        {"kb_id": "kb_1", "messages": [{"content": "李红", "answer_id": f"ans_{number}"}]}
        for number in range(3)
    ]
    shown = Veiling(service, {"kb_1": ALL}).shown({"items": talks}, None)["items"]
    assert [talk["messages"][0]["content"] for talk in shown] == ["李*"] * 3
    assert sorted(read) == ["ans_0", "ans_1", "ans_2"]
