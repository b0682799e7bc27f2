from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0014_race_number")]
    operations = [run_sql("0018_keeping")]
