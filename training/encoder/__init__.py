"""A small transformer encoder for Chinese and English, from data to model folder.

Knows how it starts, learns and is written down. Does not know how pairs are made (training.recipe)
and how a model is used (retrievers.embedding).
"""
