-- Channels that readings of these stretches have beside those in `known`; of many readings, those of the first few. The order
-- has each stretch read by the key, whatever the planner knows of a table that was filled a moment ago.
SELECT DISTINCT key FROM (
    SELECT strange.channels
    FROM (
        SELECT to_timestamp(0) + us * interval '1 microsecond' AS start FROM unnest(%(starts)s::bigint[]) AS given (us)
    ) AS stretch
    CROSS JOIN LATERAL (
        SELECT r.channels FROM reading AS r
        WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s
          AND r.time >= stretch.start AND r.time < stretch.start + %(width)s::interval
          AND (r.channels - %(known)s::text[]) <> '{}' AND /*counts*/
        ORDER BY r.time, r.id LIMIT 100
    ) AS strange
    LIMIT 1000
) AS sample
CROSS JOIN LATERAL jsonb_object_keys(sample.channels - %(known)s::text[]) AS key
