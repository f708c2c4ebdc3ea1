"""What must hold between what documents state and the records that they are stated in."""

from collections.abc import Sequence

from kb_service.storage.checks.damage import Flaw
from kb_service.storage.checks.past_rules import Rule, exists_in
from kb_service.storage.facts.tables import facts, records

RECORD_RULES: Sequence[Rule] = (
    (
        Flaw.MISMATCHED,
        "fact that is told of another incident than its record is, or of no record",
        (facts.c.id, facts.c.incident),
        ~exists_in(
            records,
            records.c.revision_id == facts.c.revision_id,
            records.c.record == facts.c.record,
            records.c.incident.is_not_distinct_from(facts.c.incident),
        ),
    ),
)
