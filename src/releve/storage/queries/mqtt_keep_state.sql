UPDATE device_link SET state = %(state)s, state_until = now() + make_interval(secs => %(expiry_s)s) WHERE link = %(link)s
