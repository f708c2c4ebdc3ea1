"""Trains the reader: which words of a passage answer a question, and whether any do.

The weights start as multilingual-e5-small; its word vectors stay as they are.
"""
