"""What can be wrong with a change of runs, in words that its sender can act on."""

from releve.protocol.problem import BadRequest, Problem


class Overlaps(Problem):
    """Another run of the same device holds some of these readings; a reading belongs to one run at a time."""

    title = "Runs overlap"
    status = 409


class NotOwned(Overlaps):
    """Another team owned the device at some time of the run; each team reads its own side of a move."""

    title = "Another team's readings"


class ChangedSince(Problem):
    """The run was changed again since; undo the later change first."""

    title = "Changed since"
    status = 409


class NotMergeable(BadRequest):
    """Only runs of one kind, device and part merge."""


class OutsideRun(BadRequest):
    """The instant is not inside the run."""


class NoDevice(BadRequest):
    """The run has no device yet, so it has no readings."""


class PreconditionFailed(Problem):
    """The run is no longer what `If-Match` names; read it again."""

    title = "Changed meanwhile"
    status = 412


class PreconditionRequired(Problem):
    """Say in `If-Match` which state you change: the `ETag` of your last answer, or `*` for any."""

    title = "If-Match is missing"
    status = 428
