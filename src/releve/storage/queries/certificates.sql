-- What a device, or any, signs in with; what an editor accepted and nobody has shown yet; and what waits for an editor.
SELECT device_id, fingerprint, 'registered' AS state, '' AS subject, '' AS address, added AS since, NULL::timestamptz AS shown
FROM device_certificate WHERE %(device)s::int IS NULL OR device_id = %(device)s
UNION ALL
SELECT device_id, fingerprint, CASE WHEN accepted_by IS NULL THEN 'waiting' ELSE 'accepted' END, subject, address, since, shown
FROM certificate_claim WHERE %(device)s::int IS NULL OR device_id = %(device)s
ORDER BY since DESC, fingerprint
