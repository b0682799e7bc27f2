-- Blocks of the run and what each channel did in them; answers those that are not made, because of a strange channel.
-- `stored` counts every reading, so that a later count tells whether one was added.
WITH made AS MATERIALIZED (
    /*stretches*/
), block AS (
    INSERT INTO run_block (device_id, run_id, start, stored, n, first_time, last_time, longest_gap_s)
    SELECT %(device)s, %(run)s, start, stored, n, first_time, last_time, (
        SELECT extract(epoch FROM max(times[place + 1] - times[place]))::double precision
        FROM generate_series(1, made.n::integer - 1) AS place
    )
    FROM made WHERE stored > 0 AND NOT is_strange
), channel AS (
    INSERT INTO run_block_channel
        (device_id, run_id, start, channel, n, low, high, mean, squares, first_value, last_value)
    SELECT %(device)s, %(run)s, start, channel.*
    FROM made CROSS JOIN LATERAL (/*channels*/) AS channel (channel, n, low, high, mean, squares, first, last)
    WHERE NOT made.is_strange AND channel.n > 0
)
SELECT us, NULL FROM made WHERE is_strange ORDER BY us
