"""What is left out of runs is in their history, and can be taken back there."""

from typing import Any

from django.db import migrations
from django.db.models import Q


def tell(apps: Any, _schema: object) -> None:
    change, exclusion = apps.get_model("runs", "Change"), apps.get_model("runs", "Exclusion")
    run = apps.get_model("runs", "Run")
    for each in exclusion.objects.filter(undone_at=None).select_related("device").order_by("id").iterator():
        touched = run.objects.filter(device=each.device, deleted_at=None, started_at__lt=each.until)
        touched = touched.filter(Q(ended_at=None) | Q(ended_at__gt=each.since))
        if each.part:
            touched = touched.filter(part__in=["", each.part])
        detail = {"since": each.since.isoformat(), "until": each.until.isoformat(), "reason": each.reason}
        told = change.objects.create(
            team_id=each.device.team_id,
            kind="exclude",
            by=each.by,
            at=each.created_at,
            before={"exclusion": each.pk, "detail": detail},
        )
        told.runs.set(touched)


class Migration(migrations.Migration):
    dependencies = [("runs", "0005_races_nobody_cut")]
    operations = [migrations.RunPython(tell, migrations.RunPython.noop)]
