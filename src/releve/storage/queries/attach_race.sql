-- The first reading says whose race it is.
UPDATE runs_run SET device_id = %(device)s, part = 'race=' || id
WHERE id = %(race)s AND device_id IS NULL AND deleted_at IS NULL
