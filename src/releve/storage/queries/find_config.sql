SELECT body, changed, changed_by FROM device_config WHERE device_id = %(device)s
