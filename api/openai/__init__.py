"""The OpenAI protocol at the HTTP edge: its requests, answers, streams and errors.

Knows the protocol's shapes; what is asked with them is the services'.
"""
