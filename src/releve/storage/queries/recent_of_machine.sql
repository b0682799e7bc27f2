-- Per device, because the hot table is distributed by it; the newest readings stand together in its key.
SELECT (extract(epoch FROM time) * 1000000)::bigint AS time_us,
       (extract(epoch FROM received) * 1000000)::bigint AS received_us, channels
FROM (
    SELECT * FROM reading
    WHERE device_id = %(device)s AND time <@ (SELECT releve_owned(%(device)s, %(teams)s::bigint[]))
    ORDER BY time DESC, id DESC LIMIT %(depth)s
) AS newest
WHERE channels @> jsonb_build_object('machine_id', %(machine)s::bigint)
ORDER BY time DESC, id DESC
LIMIT %(limit)s
