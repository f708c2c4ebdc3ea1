"""FAISS, imported when it is first needed, and held to one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


def faiss() -> Any:  # noqa: ANN401 - its stubs do not describe its Python layer
    """Return the module, untyped."""
    return import_module("faiss")


@contextmanager
def single_thread() -> Iterator[None]:
    """Run FAISS on one thread, then give the calling thread its OpenMP setting back.

    One question gains nothing from more threads, and FAISS shares its OpenMP with torch, which
    must not stay at one thread afterwards.
    """
    before = faiss().omp_get_max_threads()
    faiss().omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss().omp_set_num_threads(before)
