-- Channels that readings of these stretches have beside those in `known`; some, where there are many.
SELECT DISTINCT key FROM (
    SELECT r.channels
    FROM (
        SELECT to_timestamp(0) + us * interval '1 microsecond' AS start FROM unnest(%(starts)s::bigint[]) AS given (us)
    ) AS stretch
    JOIN reading AS r ON r.time >= stretch.start AND r.time < stretch.start + %(width)s::interval
    WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s
      AND (r.channels - %(known)s::text[]) <> '{}' AND /*counts*/
    LIMIT 1000
) AS strange
CROSS JOIN LATERAL jsonb_object_keys(strange.channels - %(known)s::text[]) AS key
