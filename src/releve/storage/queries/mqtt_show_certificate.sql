-- Holds no row where the device is not there, or is a person's own, which signs in as the person only.
SELECT releve_show_certificate(%(fingerprint)s, id, %(subject)s, %(address)s) AS state
FROM fleet_device WHERE id = %(device)s AND owner_id IS NULL
