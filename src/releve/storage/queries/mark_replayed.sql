UPDATE quarantine SET replayed_at = now() WHERE device_id = %(device)s AND id = %(id)s
