-- Where rows of a device that were received since lie, per value of a channel; 13 and 13.0 are one.
SELECT CASE WHEN jsonb_typeof(part) = 'number' THEN trim_scale(part::numeric)::text ELSE part #>> '{}' END AS part,
       (extract(epoch FROM min(time)) * 1000000)::bigint, (extract(epoch FROM max(time)) * 1000000)::bigint
FROM (
    SELECT r.channels::jsonb -> %(channel)s::text AS part, r.time FROM fresh_reading AS r
    WHERE r.device_id = %(device)s AND r.received >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
      AND r.time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
      AND r.time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
    UNION ALL
    SELECT r.channels -> %(channel)s::text, r.time FROM reading AS r
    WHERE r.device_id = %(device)s AND r.received >= to_timestamp(0) + %(since_us)s::bigint * interval '1 microsecond'
      AND r.time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
      AND r.time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
) AS arrived
GROUP BY 1, date_bin(%(width_us)s::bigint * interval '1 microsecond', time, to_timestamp(0))
ORDER BY 1, 2
