-- Blocks merge into stretches of `width` from `origin`. Squares merge by the distance of each mean from the whole's, which
-- loses no digits [Chan, Golub, LeVeque 1983].
SELECT stretch, channel, sum(n)::bigint, min(low), max(high), max(whole_mean), sum(squares + n * (mean - whole_mean) ^ 2),
       (min(ARRAY[place, first_value]))[2], (max(ARRAY[place, last_value]))[2]
FROM (
    SELECT *, sum(n * mean) OVER together / sum(n) OVER together AS whole_mean
    FROM (
        SELECT *, extract(epoch FROM start)::double precision AS place,
               date_bin(%(width)s::interval, start, %(origin)s::timestamptz) AS stretch
        FROM run_block_channel
        WHERE device_id = %(device)s AND run_id = %(run)s AND start >= %(from)s AND start < %(to)s
    ) AS block
    WINDOW together AS (PARTITION BY stretch, channel)
) AS weighed
GROUP BY stretch, channel
ORDER BY stretch, channel
