-- Blocks merge into stretches of `width`. Squares merge by the distance of each mean from the whole's, which
-- loses no digits [Chan, Golub, LeVeque 1983].
SELECT (extract(epoch FROM stretch) * 1000000)::bigint, channel, sum(n)::bigint, min(low), max(high), max(whole_mean),
       sum(squares + n * (mean - whole_mean) * (mean - whole_mean)),
       max(first_value) FILTER (WHERE start = earliest), max(last_value) FILTER (WHERE start = latest)
FROM (
    SELECT *, sum(n * mean) OVER together / sum(n) OVER together AS whole_mean,
           min(start) OVER together AS earliest, max(start) OVER together AS latest
    FROM (
        SELECT start, channel, n::double precision AS n, low, high, mean, squares, first_value, last_value,
               date_bin(%(width)s::interval, start, to_timestamp(0)) AS stretch
        FROM run_block_channel
        WHERE device_id = %(device)s AND run_id = %(run)s AND start >= %(from)s AND start < %(to)s
    ) AS block
    WINDOW together AS (PARTITION BY stretch, channel)
) AS weighed
GROUP BY stretch, channel
ORDER BY stretch, channel
