-- What one device sent that could not be stored and was not replayed since, newest first.
SELECT id, received, transport, field, reason, substring(payload FOR 400), octet_length(payload)
FROM quarantine
WHERE device_id = %(device)s AND replayed_at IS NULL
ORDER BY id DESC
LIMIT %(limit)s
