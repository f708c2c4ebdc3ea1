"""A small cross-encoder that orders the candidates of a search: data, training, folder, weight.

Reads question sets and asks the product's own lexical retriever; knows nothing of the service.
"""
