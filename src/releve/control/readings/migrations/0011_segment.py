from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0010_revocation_journal")]
    operations = [run_sql("0014_segment")]
