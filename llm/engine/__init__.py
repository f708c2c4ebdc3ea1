"""Many requests, one model: schedule, run, postprocess."""
