-- Ladders whose readings are deleted stay: their segments count as replaced, for ever.
DROP TABLE restored_span, expired_reading;
DROP INDEX segment_expired;
ALTER TABLE segment DROP COLUMN expired, DROP COLUMN expired_channels;
