from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("readings", "0011_segment"),
        ("fleet", "0002_device_by_secret"),
        ("runs", "0006_exclusions_in_history"),
        ("teams", "0001_initial"),
    ]
    operations = [run_sql("0015_sql_reader")]
