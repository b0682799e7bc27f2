-- A car that says `race` only once goes on with it after its connection broke.
SELECT payload FROM topic_value
WHERE device_id = %(device)s AND topic = ANY(%(topics)s) AND received > now() - interval '1 day'
ORDER BY received DESC LIMIT 1
