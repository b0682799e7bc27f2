-- The readings of one device before a place in its order, newest first.
SELECT time, id, received, channels, sent
FROM reading
WHERE device_id = %(device)s AND time <@ (SELECT releve_owned(%(device)s, ARRAY[%(team)s::bigint])) AND time <= %(time)s AND (time, id) < (%(time)s, %(id)s)
ORDER BY time DESC, id DESC
LIMIT %(limit)s
