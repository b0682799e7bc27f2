-- Whose a device was, and when, in order; the bounds of the first and the last are open.
SELECT team_id, since, until FROM device_ownership WHERE device_id = %(device)s ORDER BY since NULLS FIRST
