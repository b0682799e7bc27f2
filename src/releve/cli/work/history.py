"""What `releve import` asks of the installation."""

from zoneinfo import ZoneInfo

from releve.cli.option import Refusal
from releve.control.fleet import services


def zone_of(name: str) -> ZoneInfo:
    """The zone of a device's times that name none.

    Raises:
        Refusal: There is no such device.
    """
    try:
        return ZoneInfo(services.device_by_name(name).timezone)
    except services.UnknownDevice as error:
        raise Refusal(str(error)) from error
