SELECT id, body, created, created_by, expires, delivered, answer, answered
FROM device_command WHERE device_id = %(device)s AND id < %(before)s ORDER BY id DESC LIMIT %(limit)s
