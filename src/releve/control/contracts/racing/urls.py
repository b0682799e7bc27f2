"""The control plane's routes of contract B; `/sensor_data` and `/get_broker_data` are the data plane's."""

from releve.control.api.routing import route
from releve.control.contracts.racing.statistic_views import (
    AllStatistics,
    EveryFiveSeconds,
    OneRaceStatistics,
    RaceStatistics,
)
from releve.control.contracts.racing.views import NewRace, NewVehicle, OneRace, OneVehicle, Races, Vehicles

urlpatterns = [
    *route("vehicle", NewVehicle.as_view(), "racing-new-vehicle"),
    *route("vehicle/<int:number>", OneVehicle.as_view(), "racing-vehicle"),
    *route("vehicles", Vehicles.as_view(), "racing-vehicles"),
    *route("race", NewRace.as_view(), "racing-new-race"),
    *route("race/<int:number>", OneRace.as_view(), "racing-race"),
    *route("races", Races.as_view(), "racing-races"),
    *route("stats_race", RaceStatistics.as_view(), "racing-statistics"),
    *route("stats_race/<int:number>", OneRaceStatistics.as_view(), "racing-one-statistics"),
    *route("get_stats_races", AllStatistics.as_view(), "racing-all-statistics"),
    *route("stats_every_5_seconds", EveryFiveSeconds.as_view(), "racing-five-seconds"),
]
