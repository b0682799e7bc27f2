DELETE FROM device_command WHERE topic IS NOT NULL; -- would arrive where nobody listens, as something else
ALTER TABLE device_command DROP COLUMN topic;
