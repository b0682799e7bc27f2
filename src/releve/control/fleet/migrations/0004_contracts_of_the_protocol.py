from django.db import migrations, models

import releve.control.fleet.models


class Migration(migrations.Migration):
    """The database keeps any text; which contracts there are is said in one place, and asked at each start."""

    dependencies = [("fleet", "0003_channel_description")]

    operations = [
        migrations.AlterField(
            model_name="device",
            name="contract",
            field=models.CharField(choices=releve.control.fleet.models.contracts, default="generic", max_length=16),
        )
    ]
