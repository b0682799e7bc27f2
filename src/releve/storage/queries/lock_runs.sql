-- The lock that whoever changes a device's runs or their sums holds.
SELECT pg_advisory_xact_lock(1380273490, %(device)s)
