INSERT INTO device_certificate (fingerprint, device_id) VALUES (%(fingerprint)s, %(device)s)
ON CONFLICT (fingerprint) DO NOTHING RETURNING fingerprint
