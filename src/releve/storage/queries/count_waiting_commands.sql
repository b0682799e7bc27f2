SELECT count(*) FROM device_command WHERE device_id = %(device)s AND delivered IS NULL AND expires > now()
