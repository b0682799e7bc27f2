-- Readings of the same instant whose sender used the same message id: their identities stand together (protocol/identity.py).
-- The one that is the hash of the message id itself is from before identities held content. Those in segments are not asked here.
SELECT asked.place, found.id, found.is_same
FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
    AS asked (place, device_id, time_us, first, last, channels)
CROSS JOIN LATERAL (
    SELECT id, fresh.channels = asked.channels AS is_same FROM fresh_reading AS fresh
    WHERE fresh.device_id = asked.device_id
      AND fresh.time = to_timestamp(0) + asked.time_us * interval '1 microsecond'
      AND fresh.id BETWEEN asked.first AND asked.last
    UNION ALL
    SELECT id, old.channels = asked.channels::jsonb FROM reading AS old
    WHERE old.device_id = asked.device_id
      AND old.time = to_timestamp(0) + asked.time_us * interval '1 microsecond'
      AND old.id BETWEEN asked.first AND asked.last
) AS found
