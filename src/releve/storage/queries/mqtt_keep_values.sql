-- `since` stays while the value is the same: a car may repeat a word every second.
-- A device has the last values of 256 topics at most, those that it said first: made-up ones fill nothing.
INSERT INTO topic_value (device_id, topic, payload, received, since)
SELECT device_id, topic, payload, heard, heard
FROM (
    SELECT new.*, known.device_id IS NOT NULL AS is_known,
           row_number() OVER (PARTITION BY new.device_id, known.device_id IS NOT NULL ORDER BY received_us) AS place
    FROM unnest(%s::int[], %s::text[], %s::text[], %s::bigint[]) AS new (device_id, topic, payload, received_us)
    LEFT JOIN topic_value AS known USING (device_id, topic)
) AS told
CROSS JOIN LATERAL (SELECT to_timestamp(0) + received_us * interval '1 microsecond') AS instant (heard)
WHERE is_known
   OR place + (SELECT count(*) FROM topic_value AS kept WHERE kept.device_id = told.device_id) <= 256
ORDER BY device_id, topic
ON CONFLICT (device_id, topic) DO UPDATE SET
    payload = excluded.payload, received = excluded.received,
    since = CASE WHEN topic_value.payload = excluded.payload THEN coalesce(topic_value.since, topic_value.received)
                 ELSE excluded.since END
WHERE topic_value.received <= excluded.received
