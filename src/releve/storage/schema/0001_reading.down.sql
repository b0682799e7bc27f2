DROP FUNCTION releve_ensure_partition(timestamptz);
DROP TABLE device_seen, quarantine, boot_anchor, receipt, reading;
