from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0015_keeping"), ("shares", "0001_initial")]
    operations = [run_sql("0020_share")]
