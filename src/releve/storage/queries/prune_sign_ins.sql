-- Sign-ins that are over: for long, or beyond the 1,000 of a principal that ended last.
DELETE FROM accounts_signin WHERE id IN (
    SELECT id FROM (
        SELECT id, least(revoked_at, expires_at) AS ended,
               row_number() OVER (
                   PARTITION BY device_id, account_id ORDER BY least(revoked_at, expires_at) DESC, id
               ) AS place
        FROM accounts_signin WHERE revoked_at IS NOT NULL OR expires_at <= now()
    ) AS past
    WHERE ended < now() - make_interval(days => %(days)s) OR place > 1000
    LIMIT %(limit)s
)
