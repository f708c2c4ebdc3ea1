"""kb-service: answers from your own documents, every sentence tied to the words it came from."""

__version__ = "0.1.0"
