"""A form's field for an instant: the browser's own date and time, to the millisecond, in the pages' zone."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from releve.control.pages.zone import local, zone

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class InstantInput(forms.DateTimeInput):
    """`datetime-local` with milliseconds, which is as fine as HTML goes."""

    input_type = "datetime-local"
    supports_microseconds = True  # the field has cut them to milliseconds

    def __init__(self) -> None:
        super().__init__(attrs={"step": "0.001"})

    def format_value(self, value: Any) -> str | None:
        """As HTML writes it, in every language."""
        return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value


class InstantField(forms.DateTimeField):
    """An instant within the years that arithmetic around it is safe in."""

    widget = InstantInput

    def prepare_value(self, value: Any) -> Any:
        """An instant as the pages' clock shows it."""
        is_instant = isinstance(value, datetime) and value.tzinfo is not None
        return local(to_millisecond(value)).replace(tzinfo=None) if is_instant else value

    def to_python(self, value: Any) -> datetime | None:
        """The instant.

        Raises:
            ValidationError: It is none, the clocks skipped or repeated it, or it is too long ago or too far ahead.
        """
        with timezone.override(zone()):
            instant = super().to_python(value)
        if instant is not None and not EARLIEST <= instant <= LATEST:
            raise ValidationError(_("Must be between the years 1970 and 9000."), code="year")
        return instant


def to_millisecond(instant: datetime) -> datetime:
    """An instant without what HTML cannot write."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
