-- Channels that held numbers and in which text came, the latest first.
SELECT channel, text, received FROM strange_text WHERE device_id = %(device)s ORDER BY received DESC, channel LIMIT %(limit)s
