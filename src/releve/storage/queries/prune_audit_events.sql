-- Some audit events that are old enough; they are numbered in the order of time, so the others need not be looked at.
DELETE FROM accounts_auditevent WHERE id IN (
    SELECT id FROM (SELECT id, time FROM accounts_auditevent ORDER BY id LIMIT %(limit)s) AS oldest
    WHERE time < now() - make_interval(days => %(days)s)
)
