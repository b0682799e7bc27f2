from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("readings", "0006_topic_since"), ("fleet", "0001_initial"), ("runs", "0004_rule_since")]
    operations = [run_sql("0010_ownership")]
