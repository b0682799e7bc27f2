from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0002_revocation")]
    operations = [run_sql("0005_mqtt")]
