"""The routes of machines, races and captures."""

from releve.control.api.routing import route
from releve.control.families import capture_views, machine_views, race_views

MACHINE = "api/v1/machines/<int:asset_id>"
VEHICLE = "api/v1/vehicles/<int:asset_id>"

urlpatterns = [
    *route("api/v1/machines", machine_views.Machines.as_view(), "machines"),
    *route(MACHINE, machine_views.OneMachine.as_view(), "machine"),
    *route(f"{MACHINE}/series", machine_views.MachineSeries.as_view(), "machine-series"),
    *route(f"{MACHINE}/records", machine_views.MachineRecords.as_view(), "machine-records"),
    *route("api/v1/vehicles", race_views.Vehicles.as_view(), "vehicles-live"),
    *route(VEHICLE, race_views.OneVehicle.as_view(), "vehicle-live"),
    *route("api/v1/profilometres", capture_views.Profilometres.as_view(), "profilometres"),
    *route("api/v1/profilometres/<int:device_id>", capture_views.OneProfilometre.as_view(), "profilometre"),
    *route("api/v1/runs/<int:run_id>/stretches", capture_views.RunStretches.as_view(), "run-stretches"),
]
