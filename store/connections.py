"""The way to everything stored: what every function that a caller may ask for takes first."""

from dataclasses import dataclass

from store.database import Database
from store.files import Files
from store.settings import Settings


@dataclass(frozen=True)
class Store:
    """A process's database and files, and the settings that it goes by."""

    settings: Settings
    database: Database
    files: Files
