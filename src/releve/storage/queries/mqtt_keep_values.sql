-- `since` stays while the value is the same: a car may repeat a word every second.
INSERT INTO topic_value (device_id, topic, payload, received, since)
SELECT device_id, topic, payload, heard, heard
FROM unnest(%s::int[], %s::text[], %s::text[], %s::bigint[]) AS new (device_id, topic, payload, received_us)
CROSS JOIN LATERAL (SELECT to_timestamp(0) + received_us * interval '1 microsecond') AS instant (heard)
ORDER BY device_id, topic
ON CONFLICT (device_id, topic) DO UPDATE SET
    payload = excluded.payload, received = excluded.received,
    since = CASE WHEN topic_value.payload = excluded.payload THEN coalesce(topic_value.since, topic_value.received)
                 ELSE excluded.since END
WHERE topic_value.received <= excluded.received
