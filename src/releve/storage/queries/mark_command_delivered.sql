UPDATE device_command SET delivered = now() WHERE id = ANY(%(ids)s) AND delivered IS NULL
