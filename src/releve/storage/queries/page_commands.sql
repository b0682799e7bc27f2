SELECT id, topic, body, created, created_by, expires, delivered, answer, answered
FROM device_command WHERE device_id = %(device)s AND id < %(before)s
  AND created <@ (SELECT releve_owned(%(device)s, %(teams)s::bigint[]))
ORDER BY id DESC LIMIT %(limit)s
