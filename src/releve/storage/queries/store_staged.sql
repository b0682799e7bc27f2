-- What comes back was stored; what does not was there already (the row count would not tell which).
INSERT INTO reading (device_id, time, id, received, channels, sent)
SELECT device_id, time, id, received, channels, sent FROM staging
ORDER BY device_id, time, id
ON CONFLICT DO NOTHING
RETURNING device_id, (extract(epoch FROM time) * 1000000)::bigint, id
