-- How many rows a device has within a span, in both tables.
SELECT (SELECT count(*) FROM fresh_reading WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond')
     + (SELECT count(*) FROM reading WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond')
