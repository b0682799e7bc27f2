-- Count one failed sign-in, whoever it is that takes sign-ins; a window that is over, or a block that is served, starts
-- again at one. With each, a few that no longer count are forgotten, so that made-up names cannot fill the table.
-- Answers the failures within the window. The control plane tells its own `now`; null is the database's.
WITH swept AS (
    DELETE FROM accounts_attempt WHERE id IN (
        SELECT id FROM accounts_attempt
        WHERE since <= coalesce(%(now)s::timestamptz, now()) - make_interval(secs => %(window_s)s)
          AND (blocked_until IS NULL OR blocked_until <= coalesce(%(now)s::timestamptz, now()))
          AND (principal, address) <> (%(attempt)s, %(subscriber)s)
        ORDER BY since LIMIT 10 FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO accounts_attempt AS attempt (principal, address, failures, since, blocked_until)
SELECT %(attempt)s, %(subscriber)s, 1, instant, CASE WHEN %(allowed)s <= 1 THEN instant + make_interval(secs => %(window_s)s) END
FROM coalesce(%(now)s::timestamptz, now()) AS instant
ON CONFLICT (principal, address) DO UPDATE SET (failures, since, blocked_until) = (
    SELECT
        counted.failures,
        CASE WHEN counted.failures = 1 THEN excluded.since ELSE attempt.since END,
        CASE WHEN counted.failures >= %(allowed)s THEN excluded.since + make_interval(secs => %(window_s)s) END
    FROM (
        SELECT CASE
            WHEN attempt.blocked_until <= excluded.since THEN 1
            WHEN attempt.blocked_until IS NULL AND attempt.since <= excluded.since - make_interval(secs => %(window_s)s) THEN 1
            ELSE attempt.failures + 1
        END AS failures
    ) AS counted
)
RETURNING failures
