"""By what a standing answer is told from the one before."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.domain.tables import CitedCell, Tabled, Tally
from kb_service.domain.watches import StandingAnswer

ROWS = ((CitedCell("fire", ()), CitedCell("2", ())),)
TABLED = Tabled(RecordQuery(Operation.COUNT), ("kind", "number"), ROWS, Tally(2, 9, 3))
AT = datetime(2026, 5, 3, tzinfo=UTC)
SHORT = StandingAnswer("partial", "field_missing", "2 fires.", (), AT, 0, TABLED)


def test_the_status_of_a_table_makes_no_other_answer() -> None:
    assert replace(SHORT, status="answered", reason=None).is_as(SHORT.digest)


def test_a_table_kept_with_its_status_in_the_digest_is_the_same_answer() -> None:
    said = [2, ["kind", "number"], [["fire", "2"]]]
    before = hashlib.sha256(json.dumps(["partial", "field_missing", said]).encode()).hexdigest()
    assert SHORT.is_as(before)


def test_another_number_or_other_words_make_another_answer() -> None:
    more = replace(SHORT, tabled=replace(TABLED, tally=Tally(3, 9, 3)))
    assert not more.is_as(SHORT.digest)
    words = replace(SHORT, tabled=None)
    assert not replace(words, status="refused").is_as(words.digest)
    assert not replace(words, text="3 fires.").is_as(words.digest)
