-- Which of these readings of a device are there as rows.
SELECT (extract(epoch FROM fresh.time) * 1000000)::bigint, fresh.id
FROM fresh_reading AS fresh
JOIN unnest(%(time_us)s::bigint[], %(ids)s::bigint[]) AS asked (time_us, id)
    ON fresh.time = to_timestamp(0) + asked.time_us * interval '1 microsecond' AND fresh.id = asked.id
WHERE fresh.device_id = %(device)s
  AND fresh.time >= to_timestamp(0) + %(first_us)s::bigint * interval '1 microsecond'
  AND fresh.time <= to_timestamp(0) + %(last_us)s::bigint * interval '1 microsecond'
