"""The HTTP edge: typed input, one call of a service, typed output.

Knows HTTP. Knows nothing of how documents are stored, read, indexed or answered.
"""
