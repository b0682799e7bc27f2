-- Whether the device had it, and whether it only waited; a trigger ends the links of a device that had it.
WITH held AS (
    DELETE FROM device_certificate WHERE fingerprint = %(fingerprint)s AND device_id = %(device)s RETURNING fingerprint
), waiting AS (
    DELETE FROM certificate_claim WHERE fingerprint = %(fingerprint)s AND device_id = %(device)s RETURNING fingerprint
)
SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM waiting)
