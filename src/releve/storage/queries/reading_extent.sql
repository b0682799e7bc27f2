-- The first and the last instant of a device's readings within a span.
SELECT (extract(epoch FROM least) * 1000000)::bigint AS first_us, (extract(epoch FROM most) * 1000000)::bigint AS last_us
FROM (
    SELECT (SELECT time FROM reading WHERE device_id = %(device)s AND time >= span.since AND time < span.until ORDER BY time LIMIT 1) AS least,
           (SELECT time FROM reading WHERE device_id = %(device)s AND time >= span.since AND time < span.until ORDER BY time DESC LIMIT 1) AS most
    FROM (SELECT to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AS since,
                 to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond' AS until) AS span
) AS found
