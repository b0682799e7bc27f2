from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0005_counter")]
    operations = [run_sql("0009_topic_since")]
