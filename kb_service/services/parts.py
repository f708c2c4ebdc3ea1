"""A part that is built when it is first asked for, and how that went. Knows no concrete part."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kb_service.domain.errors import ConfigurationError, KbError

Built_co = TypeVar("Built_co", covariant=True)
Model_co = TypeVar("Model_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Chosen(Generic[Model_co]):
    """A model, and why it is not the configured one (None when it is)."""

    model: Model_co
    problem: ConfigurationError | None = None

    def configured(self) -> Model_co:
        """Return the model. Raises `problem` when another took the place of the configured one."""
        if self.problem:
            raise self.problem
        return self.model


class Part(Generic[Built_co]):
    """Something built once, even when several threads are the first to ask.

    `built`: the part, None before. `failure`: why the last attempt to build it did not succeed.
    """

    def __init__(self, build: Callable[[], Built_co]) -> None:
        self._build = build
        self._lock = threading.RLock()
        self.built: Built_co | None = None
        self.failure: KbError | None = None

    def __call__(self) -> Built_co:
        """Return the part. Raises what building it raises; the next call tries again."""
        with self._lock:
            if self.built is None:
                try:
                    self.built = self._build()
                except KbError as error:
                    self.failure = error
                    raise
                self.failure = None
            return self.built

    def take(self) -> Built_co | None:
        """Give up what was built, None when nothing was: it is the caller's to close."""
        with self._lock:
            taken, self.built = self.built, None
            return taken
