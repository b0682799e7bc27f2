-- The rows of many devices, each within its own span, and of each device the newest one of those before.
SELECT asked.device_id, array_agg(found.time), string_agg(found.channels, E'\n'), bool_or(found.is_old)
FROM unnest(%(devices)s::int[], %(from_us)s::bigint[], %(to_us)s::bigint[], %(since_us)s::bigint[]) AS asked (device_id, from_us, to_us, since_us)
CROSS JOIN LATERAL (
    (SELECT time, channels, false AS is_old FROM fresh_reading AS row
     WHERE row.device_id = asked.device_id AND row.time >= to_timestamp(0) + asked.from_us * interval '1 microsecond'
       AND row.time < to_timestamp(0) + asked.to_us * interval '1 microsecond')
    UNION ALL
    (SELECT time, channels::text, true FROM reading AS row
     WHERE row.device_id = asked.device_id AND row.time >= to_timestamp(0) + asked.from_us * interval '1 microsecond'
       AND row.time < to_timestamp(0) + asked.to_us * interval '1 microsecond')
    UNION ALL
    (SELECT time, channels, false FROM fresh_reading AS row
     WHERE row.device_id = asked.device_id AND row.time < to_timestamp(0) + asked.from_us * interval '1 microsecond'
       AND row.time >= to_timestamp(0) + asked.since_us * interval '1 microsecond'
     ORDER BY time DESC LIMIT 1)
    UNION ALL
    (SELECT time, channels::text, true FROM reading AS row
     WHERE row.device_id = asked.device_id AND row.time < to_timestamp(0) + asked.from_us * interval '1 microsecond'
       AND row.time >= to_timestamp(0) + asked.since_us * interval '1 microsecond'
     ORDER BY time DESC LIMIT 1)
) AS found
GROUP BY asked.device_id
