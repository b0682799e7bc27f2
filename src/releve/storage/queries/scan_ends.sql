-- The first and the last instant of a device's rows within a span, and how many they are.
SELECT (extract(epoch FROM min(time)) * 1000000)::bigint, (extract(epoch FROM max(time)) * 1000000)::bigint
FROM (
    (SELECT min(time) AS time FROM fresh_reading WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond')
    UNION ALL
    (SELECT max(time) FROM fresh_reading WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond')
    UNION ALL
    (SELECT time FROM reading WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond' ORDER BY time LIMIT 1)
    UNION ALL
    (SELECT time FROM reading WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond' ORDER BY time DESC LIMIT 1)
) AS ends
