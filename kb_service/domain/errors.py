"""The one error tree. Each name says whose fault it is; api maps the classes to HTTP in one table.

    KbError
    ├── RequestError            the caller's fault
    │   ├── InvalidRequest      a value outside its accepted range
    │   ├── NotFound            no such thing, or no longer
    │   ├── Conflict            clashes with what is there (a taken name)
    │   ├── PayloadTooLarge     more bytes than the limit
    │   ├── Unauthorized        no or a wrong API key
    │   ├── RightMissing        the key may not do this
    │   └── Busy                the queue is full: try again later
    ├── DocumentError           the file's fault; trying again cannot help
    ├── ParseInterrupted        the file costs more than a limit allows; trying again cannot help
    │   └── ParseAccident       the parser died or was late: bad luck, or poison when it comes twice
    │       └── ParserFailed    our own code failed, whatever the file is like
    ├── ConfigurationError      the operator's fault: a setting, a model folder
    ├── SourceError             a place that a sync follows cannot be reached, or breaks off
    ├── ComputeError            machines that compute for us are away, or lost what they did
    ├── GenerationError         the model failed on this request
    │   └── RemoteError         the server that the model runs on fails or cannot be reached
    └── StorageError            disk or database refuses; nothing was acknowledged

Every error carries a stable snake_case `code`, a message that names the value and the accepted
range, and `details` that a program can read.
"""

import errno
import traceback
from collections.abc import Mapping
from pathlib import PurePath

_TELLING = ("exit_status", "exception", "raised_at")
"""What, beside its code, tells one death of a parser from another."""


class KbError(Exception):
    """Base of all expected failures. `code`: stable name; `details`: JSON-ready values."""

    default_code = "internal_error"

    def __init__(
        self, message: str, *, code: str | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.message = message
        self.details = dict(details) if details else None

    def as_dict(self) -> dict[str, object]:
        """Return the error as it is stored on jobs and documents."""
        return {"code": self.code, "message": self.message, "details": self.details}


class RequestError(KbError):
    """The caller sent something that cannot be done."""

    default_code = "bad_request"


class InvalidRequest(RequestError):
    """A value is malformed or outside its accepted range."""

    default_code = "invalid_request"


class NotFound(RequestError):
    """The named thing does not exist. Use a code such as `document_not_found`."""

    default_code = "not_found"


class Conflict(RequestError):
    """The request clashes with the present state."""

    default_code = "conflict"


class PayloadTooLarge(RequestError):
    """More bytes than the limit; details give `size_bytes` and `max_bytes`."""

    default_code = "payload_too_large"


class Unauthorized(RequestError):
    """No API key or a wrong one."""

    default_code = "unauthorized"


class RightMissing(RequestError):
    """The key may not do this; details give the right that is `needed` and the one `held`."""

    default_code = "right_missing"


class Busy(RequestError):
    """A bounded queue is full; the same request may succeed later."""

    default_code = "busy"


class DocumentError(KbError):
    """The file cannot be read: encrypted_document, corrupt_document, empty_document, …"""

    default_code = "corrupt_document"


class ParseInterrupted(KbError):
    """The file costs more than a limit allows: parse_timeout, parse_memory."""

    default_code = "parse_timeout"


class ParseAccident(ParseInterrupted):
    """The parsing process ended, or did not in time, for a reason that may lie outside the file.

    parse_crashed; parse_memory when something else killed it; parse_timeout by the clock.
    """

    default_code = "parse_crashed"


class ParserFailed(ParseAccident):
    """Our own code failed. `details` tell the exception and where it was raised."""

    default_code = "parser_failed"

    @classmethod
    def of(cls, name: str, error: Exception) -> "ParserFailed":
        """Return the failure for an exception that no loader expects of a file."""
        kind, frames = type(error).__name__, traceback.extract_tb(error.__traceback__)
        place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        return cls(
            f"the parser failed on {name}, which is no fault of the file: {kind}: {error}"[:500],
            details={"exception": kind, "raised_at": place},
        )


def is_same_death(before: Mapping[str, object] | None, error: KbError) -> bool:
    """True when an attempt ended the way the one before did, whose recorded error is `before`."""
    return before is not None and _signature(before) == _signature(error.as_dict())


def _signature(recorded: Mapping[str, object]) -> tuple[object, ...]:
    details = recorded.get("details")
    facts = details if isinstance(details, Mapping) else {}
    return (recorded.get("code"), *(facts.get(name) for name in _TELLING))


class ConfigurationError(KbError):
    """A setting or a model folder is wrong: invalid_setting, model_unavailable, model_corrupt."""

    default_code = "invalid_setting"


class SourceError(KbError):
    """A place outside of this machine that a sync follows cannot be reached, or breaks off."""

    default_code = "source_unavailable"


class ComputeError(KbError):
    """Machines that parse and embed for us: compute_unavailable, compute_differs, compute_lost.

    The last one says that something died in the middle of its work, which may be the file's doing.
    """

    default_code = "compute_lost"

    @property
    def is_outage(self) -> bool:
        """True when nothing was begun, and trying again later will help."""
        return self.code != self.default_code


class GenerationError(KbError):
    """The generator failed: prompt_too_long, generation_failed."""

    default_code = "generation_failed"


class RemoteError(GenerationError):
    """The model's server: remote_unreachable, remote_timeout, remote_unauthorized, …"""

    default_code = "remote_failed"


_CODE_OF_ERRNO = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "storage_read_only",
    errno.EACCES: "storage_read_only",
    errno.EPERM: "storage_read_only",
}


class StorageError(KbError):
    """The database or the disk failed; the transaction was rolled back."""

    default_code = "storage_failed"
    outages = frozenset(
        {"disk_full", "database_locked", "storage_read_only", "storage_unavailable"}
    )

    @classmethod
    def from_os_error(cls, action: str, error: OSError) -> "StorageError":
        """Return the error for what the disk refused: `disk_full`, `storage_read_only` (also where
        only the right to write is lacking) or `storage_failed`."""
        code = _CODE_OF_ERRNO.get(error.errno or 0, cls.default_code)
        return cls(f"cannot {action}: {error.strerror or error}", code=code)

    @property
    def is_outage(self) -> bool:
        """True when disk or database refuse everybody, so that trying again later will help."""
        return self.code in self.outages


class LeaseLost(StorageError):
    """Another worker took the job over, or it was cancelled: stop, and write nothing."""

    default_code = "lease_lost"
