-- The median gap of the run's first thousand: enough to show a rhythm, and the same effort for any run.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM time - before)::double precision)
FROM (
    SELECT time, lag(time) OVER (ORDER BY time, id) AS before
    FROM (
        SELECT r.time, r.id FROM reading AS r
        WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s AND /*counts*/
        ORDER BY r.time, r.id LIMIT 1001
    ) AS first
) AS spaced
WHERE before IS NOT NULL
