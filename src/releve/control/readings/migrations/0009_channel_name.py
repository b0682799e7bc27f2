from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0008_plain_command")]
    operations = [run_sql("0012_channel_name")]
