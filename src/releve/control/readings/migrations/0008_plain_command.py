from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0007_ownership")]
    operations = [run_sql("0011_plain_command")]
