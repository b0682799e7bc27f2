INSERT INTO topic_value (device_id, topic, payload, received)
SELECT device_id, topic, payload, to_timestamp(0) + received_us * interval '1 microsecond'
FROM unnest(%s::int[], %s::text[], %s::text[], %s::bigint[]) AS new (device_id, topic, payload, received_us)
ORDER BY device_id, topic
ON CONFLICT (device_id, topic) DO UPDATE SET payload = excluded.payload, received = excluded.received
WHERE topic_value.received <= excluded.received
