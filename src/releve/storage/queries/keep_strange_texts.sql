INSERT INTO strange_text (device_id, channel, text, received)
SELECT device_id, channel, text, to_timestamp(0) + received_us * interval '1 microsecond'
FROM unnest(%s::int[], %s::text[], %s::text[], %s::bigint[]) AS new (device_id, channel, text, received_us)
ORDER BY device_id, channel
ON CONFLICT (device_id, channel) DO UPDATE SET text = excluded.text, received = excluded.received
