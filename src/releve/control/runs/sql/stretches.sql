-- What a run's readings were in each stretch that `starts` names, read once and in their order: a column a channel, which
-- is summed in half the time of a row a channel. `is_strange`: a reading has a channel that has no column here.
-- Each OFFSET 0 keeps a value from being read again by every sum of it. A number beyond 10^150 is no measurement, and its
-- square would not fit. Sums without GROUP BY take rows in the order of their source: the first of an array is the earliest.
SELECT stretch.*, told.*
FROM (
    SELECT us, to_timestamp(0) + us * interval '1 microsecond' AS start FROM unnest(%(starts)s::bigint[]) AS given (us)
) AS stretch
CROSS JOIN LATERAL (
    SELECT count(*) AS stored, count(*) FILTER (WHERE counts) AS n,
           min(time) FILTER (WHERE counts) AS first_time, max(time) FILTER (WHERE counts) AS last_time,
           array_agg(time) FILTER (WHERE counts) AS times,
           coalesce(bool_or(is_strange) FILTER (WHERE counts), false) AS is_strange /*sums*/
    FROM (
        SELECT time, counts, is_strange /*measured*/
        FROM (
            SELECT r.time, r.id, /*counts*/ AS counts, /*strange*/ AS is_strange /*values*/
            FROM reading AS r
            WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s
              AND r.time >= stretch.start AND r.time < stretch.start + %(width)s::interval
            ORDER BY r.time, r.id OFFSET 0
        ) AS read
        OFFSET 0
    ) AS measured
) AS told
