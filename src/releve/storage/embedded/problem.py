"""What can keep the embedded PostgreSQL from running; each message says what to do about it."""


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot run."""


class NoPostgresFound(EmbeddedPostgresError):
    """No folder with the PostgreSQL programs was found."""


class ProgramsOutOfReach(EmbeddedPostgresError):
    """PostgreSQL's user can neither run the programs where they are nor in a copy."""


class NoUserForPostgres(EmbeddedPostgresError):
    """PostgreSQL refuses to run as root and the system user for it cannot be made."""


class OtherMajorVersion(EmbeddedPostgresError):
    """The data was written by another major version of PostgreSQL."""


class AlreadyInUse(EmbeddedPostgresError):
    """Another running Relevé uses this data directory."""


class DidNotStart(EmbeddedPostgresError):
    """PostgreSQL ended, or did not answer in time, while it started."""


class DidNotStop(EmbeddedPostgresError):
    """A process of an earlier start is still there although it was killed."""
