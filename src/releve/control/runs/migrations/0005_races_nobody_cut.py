"""Races that their car named were said to be cut by hand; those that no person cut are so no longer."""

from typing import Any

from django.db import migrations
from django.db.models import Exists, OuterRef

CUTS = ("close", "reopen", "move", "merge", "split", "delete")


def say_so(apps: Any, _schema: object) -> None:
    run, change = apps.get_model("runs", "Run"), apps.get_model("runs", "Change")
    cut = change.objects.filter(runs=OuterRef("pk"), by__isnull=False, kind__in=CUTS)
    named = run.objects.filter(kind="race", part__startswith="race=", is_hand_cut=True)
    named.filter(~Exists(cut)).update(is_hand_cut=False)


class Migration(migrations.Migration):
    dependencies = [("runs", "0004_rule_since")]
    operations = [migrations.RunPython(say_so, migrations.RunPython.noop)]
