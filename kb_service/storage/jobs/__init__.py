"""Ingest jobs: their rows, and the queue that workers claim them from."""
