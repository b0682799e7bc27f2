-- Count one failed sign-in, as the HTTP sign-in does; a window that is over, or a block that is served, starts again.
-- A few that no longer count are forgotten with each, so that made-up names cannot fill the table.
WITH swept AS (
    DELETE FROM accounts_attempt WHERE id IN (
        SELECT id FROM accounts_attempt
        WHERE since <= now() - make_interval(secs => %(window_s)s) AND (blocked_until IS NULL OR blocked_until <= now())
          AND (principal, address) <> (%(attempt)s, %(subscriber)s)
        ORDER BY since LIMIT 10 FOR UPDATE SKIP LOCKED
    )
)
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
