from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("readings", "0001_reading"),
        ("accounts", "0002_initial"),
        ("fleet", "0001_initial"),
        ("teams", "0001_initial"),
    ]
    operations = [run_sql("0002_revocation"), run_sql("0003_sign_in_name")]
