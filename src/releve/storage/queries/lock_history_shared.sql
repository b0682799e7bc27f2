-- Nobody seals or merges readings of these devices until the transaction ends; in order, against deadlocks.
SELECT pg_advisory_xact_lock_shared(1380273496, device_id) FROM (SELECT unnest(%(devices)s::int[]) AS device_id ORDER BY 1) AS locked
