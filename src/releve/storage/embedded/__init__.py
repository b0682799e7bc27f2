"""PostgreSQL started by us from its programs alone: nothing to install, nothing to configure."""

from .owner import Identity
from .problem import (
    AlreadyInUse,
    DidNotStart,
    DidNotStop,
    EmbeddedPostgresError,
    NoPostgresFound,
    NoUserForPostgres,
    OtherMajorVersion,
    ProgramsOutOfReach,
)
from .process import ending_with_parent
from .server import EmbeddedPostgres, running_administrator_url, running_url

__all__ = [
    "AlreadyInUse",
    "DidNotStart",
    "DidNotStop",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "Identity",
    "NoPostgresFound",
    "NoUserForPostgres",
    "OtherMajorVersion",
    "ProgramsOutOfReach",
    "ending_with_parent",
    "running_administrator_url",
    "running_url",
]
