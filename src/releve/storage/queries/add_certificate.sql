-- A person's own device signs in as the person only.
INSERT INTO device_certificate (fingerprint, device_id)
SELECT %(fingerprint)s, id FROM fleet_device WHERE id = %(device)s AND owner_id IS NULL
ON CONFLICT (fingerprint) DO NOTHING RETURNING fingerprint
