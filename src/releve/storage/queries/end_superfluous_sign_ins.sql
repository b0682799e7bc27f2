-- A device that signs in at each boot leaves a sign-in of ten years behind each time. Beyond the 100 of a principal that
-- were used last those end that were not used for some days, beyond 5,000 all. They end by themselves, as at the end of their
-- life: nobody revoked them, so the journal of revocations need not hold them for ten years.
UPDATE accounts_signin SET expires_at = now() WHERE id IN (
    SELECT id FROM (
        SELECT id, greatest(refreshed_at, used_at) AS used,
               row_number() OVER (
                   PARTITION BY device_id, account_id ORDER BY greatest(refreshed_at, used_at) DESC, id
               ) AS place
        FROM accounts_signin WHERE revoked_at IS NULL AND expires_at > now()
    ) AS standing
    WHERE (place > 100 AND used < now() - make_interval(days => %(days)s)) OR place > 5000
    LIMIT %(limit)s
)
