CREATE TEMP TABLE IF NOT EXISTS staging (
    device_id integer, time timestamptz, id bigint, received timestamptz, channels text, sent text
) ON COMMIT DELETE ROWS
