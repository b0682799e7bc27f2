from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0012_sql_reader")]
    operations = [run_sql("0016_certificate_claim")]
