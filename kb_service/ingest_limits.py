"""What one file may cost and how long it may hold the others, from the settings. Builds nothing."""

import os
from dataclasses import fields

from ingest.limits import ParseLimits
from kb_service.cluster_settings import RaySettings
from kb_service.services.worker import LaneLimits
from kb_service.settings import IngestSettings

MAX_SLOW_LANES = 4
"""Where nobody says otherwise: each lane's file may take a gigabyte."""

MAX_LANES = 64
"""However many actors there are: each file that is read has a thread here."""


def lane_limits(ingest: IngestSettings, ray: RaySettings | None = None) -> LaneLimits:
    """Return the worker's limits from the settings: as many files at a time as there are actors."""
    if ray and ray.address:
        default = min(ray.actors - 1, MAX_LANES) or 1
    else:
        default = slow_lanes(num_cores())
    return LaneLimits(turn_s=ingest.turn_s, max_slow=ingest.slow_lanes or default)


def slow_lanes(cores: int) -> int:
    """Return in how many slow lanes so many cores read: one is left to what answers."""
    return max(1, min(cores - 1, MAX_SLOW_LANES))


def num_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parse_limits(ingest: IngestSettings) -> ParseLimits:
    """Return the parser's limits from the settings."""
    names = {field.name for field in fields(ParseLimits)}
    return ParseLimits(**ingest.model_dump(include=names))
