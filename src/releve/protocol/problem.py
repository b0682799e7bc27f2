"""Everything that can be wrong with a submission, in words its sender can act on.

    Problem                      refused as a whole
    ├── BadRequest               400  the request itself is malformed
    │   ├── RepeatedHeader
    │   ├── StrangeHost
    │   └── BadEncoding
    ├── Unauthenticated          401  no credential, or none that is valid
    ├── Forbidden                403  a valid credential for something else
    ├── NotFound                 404
    ├── MethodNotAllowed         405
    ├── TooSlow                  408  the body did not arrive in time
    ├── TooLarge                 413
    ├── HeadersTooLarge          431
    ├── UnsupportedMedia         415
    ├── BadReading               422  a field of the reading is wrong
    │   └── BadJSON              400  not JSON by our strict rules
    ├── Throttled                429  this sender alone sends too much
    ├── Broken                   500  our own mistake
    ├── StrangeVersion           505  neither HTTP/1.0 nor HTTP/1.1
    └── Unavailable              503  nothing is acknowledged, send again
        └── Overloaded

Status codes are RFC 9110's; the document an HTTP sender gets is RFC 9457's. `puback` is the MQTT 5
reason code, or None where silence makes the sender try again [MQTT-4.4.0-2].
"""

from typing import ClassVar

PAYLOAD_FORMAT_INVALID = 0x99
NOT_AUTHORIZED = 0x87
QUOTA_EXCEEDED = 0x97
UNSPECIFIED = 0x80


class Problem(Exception):
    """The submission was refused; nothing of it was stored.

    Attributes:
        field: Where the trouble is, for a person to mend.
        code: A word for programs, where a contract has one.
        wire: The document that a contract's clients read instead of ours.
    """

    title: ClassVar[str] = "Refused"
    status: ClassVar[int] = 400
    retry_after_s: int | None = None
    puback: ClassVar[int | None] = UNSPECIFIED

    def __init__(self, detail: str = "", *, field: str | None = None, code: str | None = None) -> None:
        self.detail = detail or (self.__doc__ or "").strip().partition("\n")[0]
        self.field = field
        self.code = code
        self.wire: dict[str, object] | None = None
        super().__init__(self.detail if field is None else f"{field}: {self.detail}")

    def document(self) -> dict[str, object]:
        """The RFC 9457 problem document, with the field at fault where there is one."""
        document: dict[str, object] = {
            "type": f"urn:releve:problem:{self.slug()}",
            "title": self.title,
            "status": self.status,
            "detail": str(self),
            "message": str(self),
        }
        if self.field is not None:
            document["errors"] = [{"field": self.field, "reason": self.detail}]
        if self.code is not None:
            document["code"] = self.code
        return document

    @classmethod
    def slug(cls) -> str:
        """The problem's name in its type URN, such as `bad-reading`."""
        return "".join(
            f"-{c.lower()}" if c.isupper() and i and not cls.__name__[i - 1].isupper() else c.lower()
            for i, c in enumerate(cls.__name__)
        )


class BadRequest(Problem):
    """The request is malformed."""

    title = "Malformed request"


class RepeatedHeader(BadRequest):
    """A header that may stand once stands more than once; send it once."""

    title = "Repeated header"


class StrangeHost(BadRequest):
    """The server does not answer to the host that the request names; RELEVE_ALLOWED_HOSTS names those that it does."""

    title = "Unknown host"


class BadEncoding(BadRequest):
    """The body is not what its Content-Encoding says."""

    title = "Body cannot be decoded"


class StrangeVersion(Problem):
    """The request line names a version of HTTP that is not spoken here; there are HTTP/1.0 and HTTP/1.1."""

    title = "HTTP version not supported"
    status = 505


class Unauthenticated(Problem):
    """Authentication credentials were not provided."""

    title = "Not signed in"
    status = 401
    puback = NOT_AUTHORIZED


class Forbidden(Problem):
    """This sign-in may not do that."""

    title = "Not allowed"
    status = 403
    puback = NOT_AUTHORIZED


class NotFound(Problem):
    """There is no such thing, or it is not yours."""

    title = "Not found"
    status = 404


class MethodNotAllowed(Problem):
    """This address does not answer that method."""

    title = "Method not allowed"
    status = 405


class TooSlow(Problem):
    """The body did not arrive in time; send it again."""

    title = "Request timed out"
    status = 408


class TooLarge(Problem):
    """The body is larger than the limit; send fewer readings at once."""

    title = "Too large"
    status = 413
    puback = QUOTA_EXCEEDED


class HeadersTooLarge(Problem):
    """The headers are larger than 64 KiB together."""

    title = "Headers too large"
    status = 431


class UnsupportedMedia(Problem):
    """The body's type or encoding is not one that is understood here."""

    title = "Unsupported media type"
    status = 415


class BadReading(Problem):
    """A field of the reading is wrong."""

    title = "Reading refused"
    status = 422
    puback = PAYLOAD_FORMAT_INVALID


class BadJSON(BadReading):
    """The body is not strict JSON."""

    title = "Not JSON"
    status = 400


class Throttled(Problem):
    """This sender has too much waiting; nothing was stored, send it again later."""

    title = "Too many at once"
    status = 429
    retry_after_s = 1
    puback = None


class Broken(Problem):
    """The server failed; it is logged with this request's id. Sending again is safe."""

    title = "Our mistake"
    status = 500
    puback = None


class Unavailable(Problem):
    """The outcome is unknown; sending again is always safe."""

    title = "Not acknowledged"
    status = 503
    retry_after_s = 1
    puback = None


class Overloaded(Unavailable):
    """Too much is waiting to be committed. Nothing was stored; send it again."""

    title = "Server is catching up"
