"""What is known of Chinese and English, once: words as data, one module a concept, pure functions.

A data file a language (`data/*.toml`) holds the words and patterns; the modules hold what is done
with them. No other package of the product has a literal of a natural language.
"""
