"""Faults of the disk at the N-th call of real work, and what the service makes of them.

    python -m benchmarks.faults --points 1200

`shim.c` makes the calls fail, `session` works as clients do, `operations` says what is done,
`trial` forks a process for each point, `inspection` compares what is there with what was
acknowledged.
"""
