from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0003_mqtt")]
    operations = [run_sql("0008_topic_since")]
