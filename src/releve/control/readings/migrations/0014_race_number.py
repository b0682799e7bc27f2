from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0013_certificate_claim"), ("runs", "0007_sums_are_not_kept")]
    operations = [run_sql("0017_race_number")]
