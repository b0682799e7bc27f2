-- What each channel did in each stretch; a stretch with a strange channel is answered alone, without one.
WITH made AS MATERIALIZED (
    /*stretches*/
)
SELECT us, channel.*
FROM made CROSS JOIN LATERAL (/*channels*/) AS channel (channel, n, low, high, mean, squares, first, last)
WHERE NOT made.is_strange AND channel.n > 0
UNION ALL
SELECT us, NULL, 0, 0, 0, 0, 0, 0, 0 FROM made WHERE is_strange
ORDER BY 1, 2
