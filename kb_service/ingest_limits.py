"""What one file may cost and how long it may hold the others, from the settings. Builds nothing."""

from dataclasses import fields

from ingest.limits import ParseLimits
from kb_service.services.worker import LaneLimits
from kb_service.settings import IngestSettings


def lane_limits(ingest: IngestSettings) -> LaneLimits:
    """Return the worker's limits from the settings."""
    return LaneLimits(turn_s=ingest.turn_s, max_slow=ingest.slow_lanes)


def parse_limits(ingest: IngestSettings) -> ParseLimits:
    """Return the parser's limits from the settings."""
    names = {field.name for field in fields(ParseLimits)}
    return ParseLimits(**ingest.model_dump(include=names))
