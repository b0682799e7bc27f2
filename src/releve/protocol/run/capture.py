"""What people look at in a capture: how rough the profile is, and in which climate it was taken."""

from collections.abc import Mapping

from releve.protocol.run.statistic import Statistic

CLIMATE = {"temperature": "temperature", "humidite": "humidity"}


def statistics(channels: Mapping[str, Statistic]) -> dict[str, float]:
    """RMS and peak of the profile, lowest and highest temperature and humidity; what was not measured is missing."""
    found: dict[str, float] = {}
    if profile := channels.get("accelerometre"):
        found |= {"profile_rms": profile.rms, "profile_peak": profile.peak}
    for channel, name in CLIMATE.items():
        if measured := channels.get(channel):
            found |= {f"{name}_low": measured.low, f"{name}_high": measured.high}
    return found
