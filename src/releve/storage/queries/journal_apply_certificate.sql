DELETE FROM device_certificate
WHERE fingerprint = %(name)s AND added = %(born)s AND device_id IS DISTINCT FROM %(device)s::int
