SELECT device_id, (extract(epoch FROM boot) * 1000000)::bigint, uptime_ms, (extract(epoch FROM received) * 1000000)::bigint,
       tick_us, base_count, (extract(epoch FROM base_received) * 1000000)::bigint
FROM boot_anchor WHERE device_id = ANY(%s::int[])
