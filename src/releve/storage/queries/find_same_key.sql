-- Readings of the same instant whose sender used the same message id: their identities stand together (protocol/identity.py).
-- The one that is the hash of the message id itself is from before identities held content.
SELECT asked.place, found.id, found.channels::jsonb = asked.channels::jsonb
FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
    AS asked (place, device_id, time_us, first, last, channels)
JOIN reading AS found
    ON found.device_id = asked.device_id
    AND found.time = to_timestamp(0) + asked.time_us * interval '1 microsecond'
    AND found.id BETWEEN asked.first AND asked.last
