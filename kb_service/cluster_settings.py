"""The settings of a cluster that computes for us: names, defaults and accepted ranges."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field


def _cluster_address(value: str) -> str:
    if value and not re.fullmatch(r"local|(ray://)?([\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}", value):
        raise ValueError(f"{value!r} is neither `local` nor host:port nor ray://host:port")
    return value


class RaySettings(BaseModel):
    """KB_RAY__…: a cluster of Ray that parses, reads pictures and embeds; none without an address.

    `address`: `local` starts Ray on this machine, `host:port` joins the cluster that this machine
    is a node of, `ray://host:port` reaches one from outside. Each process keeps at most `actors`
    actors, each with `cpus` processors; `start_s`: the longest wait for a cluster to answer.
    `embedding`: false leaves vectors to this process.
    """

    address: Annotated[str, AfterValidator(_cluster_address)] = ""
    actors: Annotated[int, Field(ge=1, le=256)] = 2
    cpus: Annotated[float, Field(gt=0, le=64)] = 1.0
    start_s: Annotated[float, Field(ge=5, le=600)] = 60.0
    embedding: bool = True
