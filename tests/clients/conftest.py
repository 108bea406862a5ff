"""The clients are tried against a real server."""

from tests.end_to_end.conftest import server

__all__ = ["server"]
