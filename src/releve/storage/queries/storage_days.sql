-- The bytes of some devices' columns by the day of their readings (UTC), each segment's shared out over the days that it lasts.
SELECT device_id, (extract(epoch FROM day) * 1000000)::bigint,
       sum(bytes * extract(epoch FROM least(last, day + interval '1 day') - greatest(first, day) + interval '1 microsecond')
           / extract(epoch FROM last - first + interval '1 microsecond'))::float8
FROM generate_series(date_trunc('day', now(), 'UTC') - (%(days)s - 1) * interval '1 day', now(), interval '1 day') AS days (day)
JOIN segment ON first < day + interval '1 day' AND last >= day
WHERE replaced IS NULL AND device_id = ANY(%(devices)s::int[])
GROUP BY device_id, day ORDER BY device_id, day
