"""The routes of machines, races and captures."""

from releve.control.api.routing import route
from releve.control.families import machine_views

MACHINE = "api/v1/machines/<int:asset_id>"

urlpatterns = [
    *route("api/v1/machines", machine_views.Machines.as_view(), "machines"),
    *route(MACHINE, machine_views.OneMachine.as_view(), "machine"),
    *route(f"{MACHINE}/series", machine_views.MachineSeries.as_view(), "machine-series"),
    *route(f"{MACHINE}/records", machine_views.MachineRecords.as_view(), "machine-records"),
]
