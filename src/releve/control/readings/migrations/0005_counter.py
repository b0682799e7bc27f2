from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0004_client_id")]
    operations = [run_sql("0008_counter")]
