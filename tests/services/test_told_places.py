"""Places as people say them: ours, with the word for an area behind them."""

from datetime import date
from typing import Any

import pytest

from kb_service.domain.queries import Filters
from kb_service.domain.query_json import query_json
from kb_service.language.asked import parse_question
from kb_service.services.named import named_in
from kb_service.services.planning import planned_for
from tests.services.known_values import KnownValues

TODAY = date(2024, 9, 10)
BASE = KnownValues(
    {
        "kind": ("fire",),
        "time": (),
        "place": (
            "12 quay, harbour district",
            "mill lane",
            "northgate",
            "滨江区码头路12号",
            "南关镇",
        ),
    }
)

PLACES: list[tuple[str, list[str] | None]] = [
    ("how many fires in our Harbour district", ["harbour district"]),
    ("how many in the Harbour district?", ["harbour district"]),
    ("how many fires in our city's Harbour district", ["harbour district"]),
    ("how many fires in the Northgate neighbourhood", ["northgate"]),
    ("how many fires at Mill Lane", ["mill lane"]),
    # A depot is another thing than its lane: nothing is made of half of that.
    ("how many fires at the Mill Lane depot", None),
    ("我区滨江区有几起火灾", ["滨江区"]),
    ("我市的滨江区发生了几起火灾", ["滨江区"]),
    ("我县南关镇有几起", ["南关镇"]),
    ("本市码头路有几起火灾", ["码头路"]),
    ("全县南关镇有几起火灾", ["南关镇"]),
    ("咱们县南关镇有几起火灾", ["南关镇"]),
]


@pytest.mark.parametrize(("text", "place"), PLACES, ids=[text for text, _ in PLACES])
def test_whose_a_place_is_is_no_part_of_its_name(text: str, place: list[str] | None) -> None:
    question = parse_question(text)
    planned = planned_for(question, named_in(question, TODAY), Filters(), "kb_1", BASE, TODAY)
    assert planned
    told: dict[str, Any] = query_json(planned.query)["filters"] if planned.query else {}
    assert told.get("place") == place
