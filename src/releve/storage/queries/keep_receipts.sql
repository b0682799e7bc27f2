INSERT INTO receipt (device_id, id, key, time, received)
SELECT device_id, id, key, to_timestamp(0) + time_us * interval '1 microsecond', to_timestamp(0) + received_us * interval '1 microsecond'
FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS new (device_id, id, key, time_us, received_us)
ON CONFLICT (device_id, id) DO UPDATE SET time = excluded.time, received = excluded.received
