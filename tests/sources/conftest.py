"""The services over real storage, as the tests of services have them."""

from tests.services.conftest import desk

__all__ = ["desk"]
