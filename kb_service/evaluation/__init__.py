"""Measuring a base: metrics, question files, runs, intervals and reports.

Knows what is asked and how replies are judged; answering and ranking are what it measures. Metrics
are pure functions: `ranking`, `wording`, `grounding`, `refusals`; `resampling` gives the intervals.
"""
