-- Blocks merge into stretches of `width` from `origin`, or into one where there is no width. Squares merge by the distance of
-- each mean from the whole's, which loses no digits [Chan, Golub, LeVeque 1983].
WITH block AS (
    SELECT coalesce(date_bin(%(width)s::interval, start, %(origin)s::timestamptz), %(origin)s::timestamptz) AS stretch, *,
           extract(epoch FROM start)::double precision AS place
    FROM run_block_channel
    WHERE device_id = %(device)s AND run_id = %(run)s AND start >= %(from)s AND start < %(to)s
), whole AS (
    SELECT stretch, channel, sum(n) AS n, min(low) AS low, max(high) AS high, sum(n * mean) / sum(n) AS mean,
           (min(ARRAY[place, first_value]))[2] AS first_value, (max(ARRAY[place, last_value]))[2] AS last_value
    FROM block GROUP BY stretch, channel
), spread AS (
    SELECT block.stretch, block.channel, sum(block.squares + block.n * (block.mean - whole.mean) ^ 2) AS squares
    FROM block JOIN whole ON whole.stretch = block.stretch AND whole.channel = block.channel
    GROUP BY block.stretch, block.channel
)
SELECT stretch, channel, n::bigint, low, high, mean, squares, first_value, last_value
FROM whole JOIN spread USING (stretch, channel)
ORDER BY stretch, channel
