-- One block per 5 seconds; `stored` counts every reading, so that a later count tells whether one was added.
INSERT INTO run_block (device_id, run_id, start, stored, n, first_time, last_time, longest_gap_s)
SELECT %(device)s, %(run)s, start, count(*), count(*) FILTER (WHERE counts),
       min(time) FILTER (WHERE counts), max(time) FILTER (WHERE counts),
       extract(epoch FROM max(time - before) FILTER (WHERE counts AND before >= start))::double precision
FROM (
    SELECT *, max(time) FILTER (WHERE counts)
              OVER (ORDER BY time, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT date_bin('5 seconds', r.time, to_timestamp(0)) AS start, r.time, r.id, /*counts*/ AS counts
        FROM reading AS r
        WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s
    ) AS marked
) AS spaced
GROUP BY start
