-- Some revocations of what is over by itself.
DELETE FROM revocation WHERE id IN (SELECT id FROM revocation WHERE until < now() - make_interval(days => %(days)s) LIMIT %(limit)s)
