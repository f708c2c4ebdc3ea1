"""Random histories of a base over the real services, held against one built from scratch.

    python -m benchmarks.histories --histories 500

`steps` says what may happen, `files` with what, `hand` opens the services, `play` does the steps,
`views` says what a base holds and finds, `past` remembers what was found after each step, `scratch`
builds the base that a grown one must equal, `shrink` makes a failure short.
"""
