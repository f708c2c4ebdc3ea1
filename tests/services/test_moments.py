"""What stands beside a time of the clock answers what happened then."""

import pytest

from kb_service.domain.questions import Subject, SubjectKind
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.services.evidence import ReadDocument
from kb_service.services.moments import told_at
from tests.generation.passages import passage

LOG = passage(
    "At 10:17 the lock got stuck. At 10:31 it was freed.\n\n"
    "Time: 10:17; Event: page sent\nTime: 11:02; Event: all clear\n"
)
MET = {"doc_1": ReadDocument((), 1.0)}


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (
            "What happened at 10:17 during the outage?",
            ["At 10:17 the lock got stuck.", "Time: 10:17; Event: page sent"],
        ),
        ("11时02分发生了什么？", ["Time: 11:02; Event: all clear"]),
        ("What happened at 10:18?", []),
        ("What happened during the outage?", []),
        ("Who was paged at 10:17?", []),
    ],
)
def test_the_lines_that_state_the_time_are_told(question: str, told: list[str]) -> None:
    found = told_at(parse_question(question), [LOG], MET)
    assert [reading.words for reading in found] == told


def test_a_document_of_another_subject_tells_nothing_of_it() -> None:
    kafka = Subject("Kafka", SubjectKind.NAME, TextSpan(0, 5), ("kafka",))
    of_another = {"doc_1": ReadDocument((kafka,), 1.0)}
    assert told_at(parse_question("What happened at 10:17?"), [LOG], of_another) == ()
