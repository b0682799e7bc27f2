-- What one device sent that could not be stored and was not replayed since, newest first.
SELECT id, received, transport, field, reason, substring(payload FOR 400), octet_length(payload)
FROM quarantine
WHERE device_id = %(device)s AND received <@ (SELECT releve_owned(%(device)s, ARRAY[%(team)s::bigint])) AND replayed_at IS NULL
ORDER BY id DESC
LIMIT %(limit)s
