-- Whose secret this is, of two devices at most; always one row, so that whoever guessed too often is told so.
SELECT device.id, device.name, device.team_id, device.contract, device.timezone, device.counts_uptime, device.added_us,
       guesser.wait_s
FROM (
    SELECT (
        SELECT ceil(extract(epoch FROM blocked_until - now()))::int FROM accounts_attempt
        WHERE principal = %(attempt)s AND address = %(subscriber)s AND blocked_until > now()
    ) AS wait_s
) AS guesser
LEFT JOIN LATERAL (
    SELECT id, name, team_id, contract, timezone,
           EXISTS (SELECT FROM boot_anchor WHERE boot_anchor.device_id = fleet_device.id) AS counts_uptime,
           (extract(epoch FROM created_at) * 1000000)::bigint AS added_us
    FROM fleet_device
    WHERE secret_hash = %(hash)s AND secret_hash <> '' AND is_enabled AND owner_id IS NULL
      AND (%(name)s::text IS NULL OR name = %(name)s)
    LIMIT 2
) AS device ON guesser.wait_s IS NULL
