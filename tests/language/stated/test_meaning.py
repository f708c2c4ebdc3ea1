"""What a label means, by the encoder that is shipped and by the sort of its values."""

from pathlib import Path

import pytest

from kb_service.domain.facts import Fact
from kb_service.language.stated.extraction import FACT_RULES
from kb_service.language.stated.labels import label_of
from kb_service.language.stated.meaning import field_meant
from kb_service.language.stated.reading import FactReader
from kb_service.language.stated.sense import LabelSense
from kb_service.language.units import marked
from retrievers.embedding import load_embedder

ENCODER = Path(__file__).parents[3] / "models" / "e5-zh-en"


@pytest.fixture(scope="module")
def sense() -> LabelSense:
    embedder = load_embedder(str(ENCODER))
    return LabelSense(embedder.embed_passages, embedder.profile.fingerprint)


def told(facts: tuple[Fact, ...]) -> dict[str, str]:
    return {fact.field: fact.text for fact in facts}


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("Hurt, how many", "3", "injured"),
        ("亡故", "2人", "dead"),
        ("损失估值", "3万元", "loss"),
        ("Cost of damage", "$3,000", "loss"),
        ("何时发生", "2024-05-03 08:10", "time"),
        ("发生处所", "北街3号", "place"),
        ("Why it went wrong", "a loose hose", "cause"),
        ("contact_no", "555-0142", "phone"),
    ],
)
def test_a_label_that_no_list_has_is_understood_by_what_it_means(
    sense: LabelSense, name: str, value: str, field: str
) -> None:
    assert not label_of(name).is_standard
    assert field_meant(name, [value], sense) == field


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("天气", "小雨"),
        ("Weather", "light rain"),
        ("年龄", "35"),
        ("Room", "12"),
        ("Budget", "$3,000"),
        ("Rooms affected", "3"),
        ("Sacks spoiled", "40"),
        ("毁坏房屋", "6"),
        ("Birthday", "2024-05-01"),
        ("房间号", "12"),
        ("Colour", "red"),
        ("Persons hurt", "the yard"),
        ("亡故", "2024-05-03"),
        ("Post-incident review", "a kitchen fire at Pier 4"),
    ],
)
def test_another_label_or_a_value_of_another_sort_is_not(
    sense: LabelSense, name: str, value: str
) -> None:
    assert field_meant(name, [value], sense) is None


def test_a_form_in_words_of_its_own_is_read_and_what_it_has_beside_keeps_its_name(
    sense: LabelSense,
) -> None:
    text = (
        "File no.: AB-2024-17\nHappened on: 3 May 2024, 08:10\nSite: Pier 4\n"
        "Persons hurt: 3\nCost of damage: $3,000\nWeather: light rain\nState: closed\n"
    )
    facts = told(FactReader(lambda: sense).facts_in(marked(text)))
    assert facts == {
        "number": "ab-2024-17",
        "time": "2024-05-03T08:10",
        "place": "pier 4",
        "injured": "3",
        "loss": "3000",
        "Weather": "light rain",
        "State": "closed",
    }


def test_columns_in_words_of_their_own_say_by_what_they_are_known(sense: LabelSense) -> None:
    rows = [f"流水号: AB-2024-{n}1; 亡故: {n}; 损失估值: {n}万元; 天气: 晴" for n in (1, 2, 3)]
    (table,) = FactReader(lambda: sense).columns_in("\n".join(rows), {})
    assert [(one.field, one.by) for one in table.columns[1:]] == [
        ("dead", "meaning"),
        ("loss", "meaning"),
        ("column", ""),
    ]


def test_a_column_of_which_values_come_again_numbers_no_records(sense: LabelSense) -> None:
    """Priorities P1 to P3 were taken for the numbers of records, and sixty tickets for three."""
    rows = [
        f"Ticket: T-{n}; Priority: P{n % 3 + 1}; Opened at: 2024-05-0{n}; Users: {n}"
        for n in range(1, 9)
    ]
    for reader in (FactReader(), FactReader(lambda: sense)):
        (table,) = reader.columns_in("\n".join(rows), {})
        fields = {one.name: one.field for one in table.columns}
        assert (fields["Ticket"], fields["Priority"]) == ("number", "column")


def test_the_rules_name_by_which_vectors_labels_are_told(sense: LabelSense) -> None:
    assert FactReader().rules == FACT_RULES
    assert FactReader(lambda: sense).rules not in (FACT_RULES, "")
    assert len(FactReader(lambda: sense).rules) == len(FACT_RULES)


def test_a_label_is_embedded_once() -> None:
    asked: list[str] = []

    def embed(texts: list[str]) -> list[bytes]:
        asked.extend(texts)
        return [b"\0\0\x80?"] * len(texts)

    sense = LabelSense(embed, "")  # type: ignore[arg-type]
    assert sense("raised_by") is sense("raised by")
    assert asked.count("raised by") == 1


def test_a_column_near_to_what_another_is_called_by_keeps_its_name(sense: LabelSense) -> None:
    text = "出动登记\n" + "".join(
        f"编号: CJ0{n}; 接警时间: 2024-05-0{n} 08:10; 警情地址: 滨河大道{n}号; 出动队站: 城南站\n"
        for n in range(1, 5)
    )
    facts = FactReader(lambda: sense).facts_in(marked(text), {})
    first = {fact.field: fact.text for fact in facts if fact.record == 1}
    assert (first["place"], first["出动队站"]) == ("滨河大道1号", "城南站")
