-- Channels that held numbers and in which text came, the latest first.
SELECT channel, text, received FROM strange_text WHERE device_id = %(device)s AND received <@ (SELECT releve_owned(%(device)s, ARRAY[%(team)s::bigint]))
ORDER BY received DESC, channel LIMIT %(limit)s
