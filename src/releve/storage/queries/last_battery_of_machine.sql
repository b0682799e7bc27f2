SELECT (extract(epoch FROM time) * 1000000)::bigint AS time_us, channels
FROM (
    SELECT * FROM reading
    WHERE device_id = %(device)s AND time <@ (SELECT releve_owned(%(device)s, %(teams)s::bigint[]))
    ORDER BY time DESC, id DESC LIMIT %(depth)s
) AS newest
WHERE channels @> jsonb_build_object('machine_id', %(machine)s::bigint) AND channels ?| %(names)s::text[]
ORDER BY time DESC, id DESC
LIMIT 1
