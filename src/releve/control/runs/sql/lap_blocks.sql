-- The blocks in which the lap changes, found by their sums.
SELECT start FROM (
    SELECT start, low, high, first_value, lag(last_value) OVER (ORDER BY start) AS before
    FROM run_block_channel WHERE device_id = %(device)s AND run_id = %(run)s AND channel = 'track'
) AS spaced
WHERE low <> high OR before IS NULL OR before <> first_value
ORDER BY start LIMIT %(limit)s
