-- Nobody seals or merges readings of these devices until the transaction ends, and of some nobody else stores late ones; in order, against deadlocks.
SELECT CASE WHEN device_id = ANY(%(alone)s::int[]) THEN pg_advisory_xact_lock(1380273496, device_id)
            ELSE pg_advisory_xact_lock_shared(1380273496, device_id) END
FROM (SELECT unnest(%(devices)s::int[]) AS device_id ORDER BY 1) AS locked
