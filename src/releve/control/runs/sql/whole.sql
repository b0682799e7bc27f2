-- All blocks merge into one. Squares merge by the distance of each mean from the whole's, which loses no digits
-- [Chan, Golub, LeVeque 1983].
WITH block AS (
    SELECT *, extract(epoch FROM start)::double precision AS place
    FROM run_block_channel
    WHERE device_id = %(device)s AND run_id = %(run)s
), whole AS (
    SELECT channel, sum(n) AS n, min(low) AS low, max(high) AS high, sum(n * mean) / sum(n) AS mean,
           (min(ARRAY[place, first_value]))[2] AS first_value, (max(ARRAY[place, last_value]))[2] AS last_value
    FROM block GROUP BY channel
), spread AS (
    SELECT block.channel, sum(block.squares + block.n * (block.mean - whole.mean) ^ 2) AS squares
    FROM block JOIN whole ON whole.channel = block.channel
    GROUP BY block.channel
)
SELECT %(origin)s::timestamptz, channel, n::bigint, low, high, mean, squares, first_value, last_value
FROM whole JOIN spread USING (channel)
ORDER BY channel
