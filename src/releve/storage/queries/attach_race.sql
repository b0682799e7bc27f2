-- The first reading says whose race it is. The sums are made anew at the next look.
UPDATE runs_run SET device_id = %(device)s, part = 'race=' || id, followed = NULL
WHERE id = %(race)s AND device_id IS NULL AND deleted_at IS NULL
