INSERT INTO device_seen (device_id, last_seen, last_time)
SELECT device_id, to_timestamp(0) + seen_us * interval '1 microsecond', to_timestamp(0) + time_us * interval '1 microsecond'
FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS new (device_id, seen_us, time_us)
ORDER BY device_id
ON CONFLICT (device_id) DO UPDATE SET
    last_seen = greatest(device_seen.last_seen, excluded.last_seen),
    last_time = greatest(device_seen.last_time, excluded.last_time)
