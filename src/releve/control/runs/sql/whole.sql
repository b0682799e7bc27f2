-- All blocks merge into one. Squares merge by the distance of each mean from the whole's, which loses no digits
-- [Chan, Golub, LeVeque 1983]. Both sides of a FULL JOIN here have the same channels: it is an inner one that PostgreSQL cannot
-- carry out by looking at every pair, which it would for a table that was filled a moment ago, blocks times channels twice.
WITH block AS NOT MATERIALIZED ( -- read twice from memory rather than written to a file
    SELECT channel, start, n::double precision AS n, low, high, mean, squares, first_value, last_value
    FROM run_block_channel
    WHERE device_id = %(device)s AND run_id = %(run)s
), whole AS (
    SELECT channel, sum(n) AS n, min(low) AS low, max(high) AS high, sum(n * mean) / sum(n) AS mean,
           min(start) AS earliest, max(start) AS latest
    FROM block GROUP BY channel
), spread AS (
    SELECT block.channel,
           sum(block.squares + block.n * (block.mean - whole.mean) * (block.mean - whole.mean)) AS squares,
           max(block.first_value) FILTER (WHERE block.start = whole.earliest) AS first_value,
           max(block.last_value) FILTER (WHERE block.start = whole.latest) AS last_value
    FROM block FULL JOIN whole ON whole.channel = block.channel
    GROUP BY block.channel
)
SELECT 0, channel, n::bigint, low, high, mean, squares, first_value, last_value
FROM whole FULL JOIN spread USING (channel)
ORDER BY channel
