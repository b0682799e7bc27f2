SELECT id, (extract(epoch FROM received) * 1000000)::bigint AS received_us, contract, transport, field, reason, payload,
       (extract(epoch FROM replayed_at) * 1000000)::bigint AS replayed_us
FROM quarantine
WHERE device_id = %(device)s AND id > %(after)s AND (%(id)s::bigint IS NULL OR id = %(id)s::bigint)
  AND received <@ (SELECT releve_owned(%(device)s, %(teams)s::bigint[]))
  AND (%(with_replayed)s OR replayed_at IS NULL)
ORDER BY id
LIMIT %(limit)s
