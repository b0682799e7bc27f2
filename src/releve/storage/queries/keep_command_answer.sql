UPDATE device_command SET answer = %(answer)s, answered = now(), delivered = coalesce(delivered, now())
WHERE id = %(id)s AND device_id = %(device)s AND answered IS NULL
