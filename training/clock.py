"""When a training run has to stop. Knows the local clock."""

from __future__ import annotations

import time
from datetime import datetime


def next_time(clock: str) -> float:
    """The next time the local clock shows HH:MM, in seconds since the epoch."""
    hour, minute = (int(part) for part in clock.split(":"))
    now = datetime.now().astimezone()
    wanted = now.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()
    return wanted if wanted > time.time() else wanted + 24 * 3600
