"""Training of the model that judges whether a record is one of what a phrase calls.

Knows records with phrases written by hand, the network and its run. Knows nothing of answers.
"""
