INSERT INTO boot_anchor (device_id, boot, uptime_ms, received)
SELECT device_id, to_timestamp(0) + boot_us * interval '1 microsecond', uptime_ms,
       to_timestamp(0) + received_us * interval '1 microsecond'
FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[]) AS new (device_id, boot_us, uptime_ms, received_us)
ON CONFLICT (device_id) DO UPDATE
    SET boot = excluded.boot, uptime_ms = excluded.uptime_ms, received = excluded.received
