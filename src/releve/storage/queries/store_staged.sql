-- What comes back was stored; what does not was there already (the row count would not tell which). The table of earlier
-- releases is asked row by row: by its index, whatever is known of the staging table's size.
INSERT INTO fresh_reading (device_id, time, id, received, channels, sent)
SELECT device_id, time, id, received, channels, sent FROM staging
WHERE (SELECT true FROM reading AS old
       WHERE old.device_id = staging.device_id AND old.time = staging.time AND old.id = staging.id LIMIT 1) IS NULL
ORDER BY device_id, time, id
ON CONFLICT DO NOTHING
RETURNING device_id, (extract(epoch FROM time) * 1000000)::bigint, id
