"""The statements of the data plane, one file each, read once."""

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def query(name: str) -> LiteralString:
    """The text of `<name>.sql` in this folder."""
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
