from django.db import migrations, models


class Migration(migrations.Migration):
    """When a sign-in was last used; those of before count from now, so that none of them ends unseen."""

    dependencies = [
        ("accounts", "0007_certificate_removed_kind"),
    ]

    operations = [
        migrations.AddField(
            model_name="signin",
            name="used_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL(
            "UPDATE accounts_signin SET used_at = now() WHERE revoked_at IS NULL AND expires_at > now()",
            migrations.RunSQL.noop,
        ),
    ]
