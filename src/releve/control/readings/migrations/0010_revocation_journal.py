from django.db import migrations

from releve.control.readings.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("readings", "0009_channel_name"),
        ("accounts", "0005_hash_sessions_encrypt_factors"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [run_sql("0013_revocation_journal")]
