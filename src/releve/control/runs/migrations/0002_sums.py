from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial"), ("readings", "0001_reading")]
    operations = [run_sql("0004_run")]
