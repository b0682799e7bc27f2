SELECT since, until FROM (
    SELECT lag(last_time) OVER (ORDER BY start) AS since, first_time AS until
    FROM run_block WHERE device_id = %(device)s AND run_id = %(run)s AND n > 0
) AS spaced
WHERE extract(epoch FROM until - since) > %(longer_than_s)s
ORDER BY until - since DESC, since LIMIT %(limit)s
