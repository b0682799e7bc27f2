from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_settings_and_device_kinds"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("signed-in", "Signed In"),
                    ("sign-in-failed", "Sign In Failed"),
                    ("locked-out", "Locked Out"),
                    ("refreshed", "Refreshed"),
                    ("refresh-reused", "Refresh Reused"),
                    ("signed-out", "Signed Out"),
                    ("sign-in-revoked", "Sign In Revoked"),
                    ("account-added", "Account Added"),
                    ("account-disabled", "Account Disabled"),
                    ("account-enabled", "Account Enabled"),
                    ("account-promoted", "Account Promoted"),
                    ("account-demoted", "Account Demoted"),
                    ("password-set", "Password Set"),
                    ("factor-removed", "Factor Removed"),
                    ("team-added", "Team Added"),
                    ("role-given", "Role Given"),
                    ("device-added", "Device Added"),
                    ("device-changed", "Device Changed"),
                    ("device-disabled", "Device Disabled"),
                    ("device-enabled", "Device Enabled"),
                    ("device-deleted", "Device Deleted"),
                    ("device-brought-back", "Device Brought Back"),
                    ("secret-replaced", "Secret Replaced"),
                    ("certificate-added", "Certificate Added"),
                    ("certificate-removed", "Certificate Removed"),
                    ("mqtt-refused", "Mqtt Refused"),
                    ("asset-changed", "Asset Changed"),
                    ("asset-deleted", "Asset Deleted"),
                    ("run-changed", "Run Changed"),
                    ("keeping-changed", "Keeping Changed"),
                    ("reader-granted", "Reader Granted"),
                    ("reader-revoked", "Reader Revoked"),
                    ("share-made", "Share Made"),
                    ("share-revoked", "Share Revoked"),
                    ("restored", "Restored"),
                ],
                max_length=32,
            ),
        ),
    ]
