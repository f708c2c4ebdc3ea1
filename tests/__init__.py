"""Tests of the whole repository, a folder for each package."""

import llm  # noqa: F401 -- sets OpenMP's wait policy, which must happen before torch is imported
