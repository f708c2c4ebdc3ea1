"""Measurements behind benchmarks/RESULTS.md; none is imported by the product."""

import llm  # noqa: F401 -- sets how OpenMP's idle threads wait, before torch is imported
