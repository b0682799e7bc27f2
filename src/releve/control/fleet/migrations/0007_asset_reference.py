import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The run that an asset's others are compared with."""

    dependencies = [
        ("fleet", "0005_deleted_and_changes"),
        ("runs", "0007_sums_are_not_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="asset",
            name="reference",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="runs.run",
            ),
        ),
    ]
