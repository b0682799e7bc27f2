DROP TABLE strange_text;
DROP TABLE numeric_channel;
DROP INDEX receipt_key;
ALTER TABLE receipt DROP COLUMN key;
ALTER TABLE boot_anchor DROP COLUMN base_received;
ALTER TABLE boot_anchor DROP COLUMN base_count;
ALTER TABLE boot_anchor DROP COLUMN tick_us;
