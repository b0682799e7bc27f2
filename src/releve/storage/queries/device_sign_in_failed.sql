-- Count one failed sign-in of a device; a window that is over, or a block that is served, starts again. Only a known
-- device's failures are kept in the audit, so that made-up names fill nothing. Answers the failures within the window.
WITH counted AS (
    INSERT INTO accounts_attempt AS attempt (principal, address, failures, since, blocked_until)
    VALUES (%(attempt)s, %(subscriber)s, 1, now(), CASE WHEN %(allowed)s <= 1 THEN now() + make_interval(secs => %(window_s)s) END)
    ON CONFLICT (principal, address) DO UPDATE SET (failures, since, blocked_until) = (
        SELECT
            counted.failures,
            CASE WHEN counted.failures = 1 THEN excluded.since ELSE attempt.since END,
            CASE WHEN counted.failures >= %(allowed)s THEN now() + make_interval(secs => %(window_s)s) END
        FROM (
            SELECT CASE
                WHEN attempt.blocked_until <= now() THEN 1
                WHEN attempt.blocked_until IS NULL AND attempt.since <= now() - make_interval(secs => %(window_s)s) THEN 1
                ELSE attempt.failures + 1
            END AS failures
        ) AS counted
    )
    RETURNING failures
), noted AS (
    INSERT INTO accounts_auditevent (time, kind, is_alert, device_id, team_id, address, user_agent, detail)
    SELECT now(), kind, kind = 'locked-out', device.id, device.team_id, %(address)s, %(agent)s, '{}'
    FROM counted
    CROSS JOIN LATERAL unnest(
        CASE WHEN failures = %(allowed)s THEN ARRAY['sign-in-failed', 'locked-out'] ELSE ARRAY['sign-in-failed'] END
    ) AS kind
    JOIN fleet_device AS device ON device.name = %(name)s
    WHERE failures <= %(allowed)s
), swept AS (
    DELETE FROM accounts_attempt WHERE id IN (
        SELECT id FROM accounts_attempt
        WHERE since <= now() - make_interval(secs => %(window_s)s) AND (blocked_until IS NULL OR blocked_until <= now())
          AND (principal, address) <> (%(attempt)s, %(subscriber)s)
        ORDER BY since LIMIT 2 FOR UPDATE SKIP LOCKED
    )
)
SELECT failures FROM counted
