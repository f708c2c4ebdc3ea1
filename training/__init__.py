"""Training and measuring the models that this repository ships.

Knows how to turn question-passage data into model folders. Nothing at run time
imports this package.
"""
