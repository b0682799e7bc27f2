from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="device",
            index=models.Index(fields=["secret_hash"], condition=~models.Q(secret_hash=""), name="fleet_device_secret"),
        )
    ]
