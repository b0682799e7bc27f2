-- Forget a few attempts that no longer count, so that made-up names cannot fill the table.
DELETE FROM accounts_attempt WHERE id IN (
    SELECT id FROM accounts_attempt
    WHERE since <= %(now)s::timestamptz - make_interval(secs => %(window_s)s) AND (blocked_until IS NULL OR blocked_until <= %(now)s)
    ORDER BY since LIMIT 10 FOR UPDATE SKIP LOCKED
)
