-- Whether a race of the team waits for its first device, and this device has never driven one of that number.
SELECT EXISTS (
    SELECT FROM runs_run
    WHERE id = %(race)s AND team_id = %(team)s AND kind = 'race' AND device_id IS NULL AND deleted_at IS NULL
) AND NOT EXISTS (
    SELECT FROM runs_run WHERE device_id = %(device)s AND part = 'race=' || %(race)s::bigint
)
