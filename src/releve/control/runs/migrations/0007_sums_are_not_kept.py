"""Nothing reads or writes the sums of runs any more; they stay while an earlier release may run beside this one.

A migration of the next release, after its code runs, drops `followed` and `lap_points` of `runs_run` and the tables
`run_block` and `run_block_channel`.
"""

from django.db import migrations


class Migration(migrations.Migration):
    """Forgets two columns, which are nullable, and leaves them where they are."""

    dependencies = [("runs", "0006_exclusions_in_history")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="run", name="followed"),
                migrations.RemoveField(model_name="run", name="lap_points"),
            ]
        )
    ]
