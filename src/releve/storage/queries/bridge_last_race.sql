SELECT payload FROM topic_value
WHERE device_id = %(device)s AND topic = %(topic)s AND received > now() - interval '1 day'
