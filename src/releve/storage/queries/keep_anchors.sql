INSERT INTO boot_anchor (device_id, boot, uptime_ms, received, tick_us, base_count, base_received)
SELECT device_id, to_timestamp(0) + boot_us * interval '1 microsecond', uptime_ms,
       to_timestamp(0) + received_us * interval '1 microsecond', tick_us, base_count,
       to_timestamp(0) + base_us * interval '1 microsecond'
FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::bigint[], %s::bigint[])
    AS new (device_id, boot_us, uptime_ms, received_us, tick_us, base_count, base_us)
ON CONFLICT (device_id) DO UPDATE
    SET boot = excluded.boot, uptime_ms = excluded.uptime_ms, received = excluded.received, tick_us = excluded.tick_us,
        base_count = excluded.base_count, base_received = excluded.base_received
